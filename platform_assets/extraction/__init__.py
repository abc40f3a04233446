"""One resource, read from its first page to its last into the Parquet buffer. Never imports dlt or Dagster."""
