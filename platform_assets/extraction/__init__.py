"""From an API to typed, deduplicated Parquet files and dlt sources. Never imports Dagster."""
