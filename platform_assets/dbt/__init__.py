"""dbt: its project, its models as assets, its sources generated from the declarations, and when a model is stale.

Way of the data: `sources.py` writes the declarations into dbt's `_sources.yml`; `project.py` parses the project into a
manifest; `assets.py` turns the manifest into assets below the tables that dlt loads, with `column_lineage.py` for their
columns; `stale_models.py` is the rule for which of them must be built again.
"""

# Schemas, and first parts of the asset keys, of dbt's models.
MODEL_SCHEMAS = ("staging", "marts")
