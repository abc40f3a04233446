"""From an API into the Parquet buffer: the connection to an account, a probe for news, and the read of one resource.

Never imports dlt or Dagster.
"""
