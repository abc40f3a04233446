"""Settings of Celery's workers; dagster-celery imports them by this name from PYTHONPATH."""

import os

broker_url = result_backend = os.environ["CELERY_REDIS_URL"]
# A worker takes a run when it is free for it: one that waited behind another would seem not to start, and a killed
# worker would keep it.
worker_concurrency = 1
worker_prefetch_multiplier = 1
worker_disable_prefetch = True
# A run is not given to a second worker while the first may still be at it; Dagster requests what died anew.
task_acks_late = False
# A process gives back its memory after so many runs; a new one for each would import Dagster and dlt each time.
worker_max_tasks_per_child = 20
broker_connection_retry_on_startup = True
# What a run prints stays as it is, instead of becoming warnings of Celery.
worker_redirect_stdouts = False
