"""The columns of a dlt schema can be read again and again, which upstream's method cannot."""

from dagster_dlt import DagsterDltResource
from dlt.common.schema import Schema

from platform_assets.patches.table_schema import DltResourceWithTableSchema


def schema() -> Schema:
    found = Schema("crm")
    found.update_table({"name": "deals", "columns": {"id": {"name": "id", "data_type": "bigint", "nullable": False}}})
    return found


def test_upstream_still_empties_the_schema() -> None:
    """When this fails: call `_extract_table_schema_metadata` and delete patches/table_schema.py."""
    deals = schema()
    DagsterDltResource()._extract_table_schema_metadata("deals", deals)
    assert "name" not in deals.tables["deals"].get("columns", {})["id"]


def test_a_schema_is_the_same_after_its_columns_were_read() -> None:
    deals, resource = schema(), DltResourceWithTableSchema()
    first = resource.table_schema("deals", deals)
    assert [(column.name, column.type, column.constraints.nullable) for column in first.columns] == [
        ("id", "bigint", False)
    ]
    assert resource.table_schema("deals", deals) == first
