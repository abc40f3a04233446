"""Records as typed Arrow columns, in Parquet files until their resource is read to its end."""
