"""Workarounds for faults of Dagster and dlt, and names that they do not export: one small file each.

Each file names the upstream issue or the symptom, and the test that fails once upstream no longer needs it. Private
modules (`dagster._core` and the like) are imported here and nowhere else (tests/patches/test_private_modules.py), and
pyproject.toml pins `dagster` below the next minor, so that an upgrade which moves them is a decision of ours.

- Workarounds for Dagster: `event_transactions`, `mixed_partitions`, `op_options`, `partitioned_inputs`,
  `sqlite_engines`, `table_schema`.
- Workarounds for dagster-dbt: `dbt_command`, `dbt_imports`.
- Workarounds for dlt: `destination_capabilities`, `dropped_tables`, `empty_parquet_files`, `empty_table_load_ids`,
  `setting_hints`.
- Names that Dagster does not export: `backfills`, `check_history`, `runs`, `sensor_ticks`.
"""
