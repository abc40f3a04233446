"""What Dagster defines of the declarations: assets, partitions, jobs, schedules and checks; the glue, kept thin.

Way of a run: a job (`jobs.py`) or a schedule (`schedules.py`) selects assets (`assets.py`); their op calls
`dlt_resource.py`, which syncs, reports each asset with the metadata of `materialization.py` and the checks of
`checks.py`, reconciles the dynamic partitions (`reconciliation.py`) and fails with the reasons of `failures.py`.

What watches, and requests runs by itself, is in `platform_assets/monitoring`, which builds on this folder.
"""
