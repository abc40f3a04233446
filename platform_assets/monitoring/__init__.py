"""What watches: sensors that keep assets fresh, partitions equal to their parents and models built, and alerts.

Way of a freshness decision: `freshness_sensor.py` reads the last load of each asset through `event_log.py`, lets
`freshness.py` decide what is due, and requests a run. `partition_sensor.py` follows the lists of parents,
`models_sensor.py` requests the dbt models that are stale, `alerts.py` posts failures to a webhook. Everything here
builds on `platform_assets/orchestration`; nothing there imports this.
"""
