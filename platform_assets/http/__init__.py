"""HTTP to one API: requests, retries, rate limits, pages, and the records in them. Never imports dlt or Dagster."""
