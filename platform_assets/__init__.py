"""Five SaaS platforms as Dagster assets: declared in `platforms`, read over HTTP, loaded by dlt, modelled by dbt."""
