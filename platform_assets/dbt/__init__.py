"""What dbt is told about the declarations. Never imports Dagster."""
