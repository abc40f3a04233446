"""Every column of a table is described: declared ones, ours, the parent's, and those that loads have added."""

from dataclasses import replace

from platform_assets.platforms import all_platforms, platform_named
from platform_assets.warehouse.column_descriptions import column_descriptions
from platform_assets.warehouse.dlt_source import default_naming, table_columns


def test_every_column_of_every_table_is_described_under_every_contract() -> None:
    for platform in all_platforms():
        for name in platform.contract_names:
            served = platform.with_contract(name)
            for resource in served.resources:
                found = column_descriptions(served, resource, default_naming())
                assert found.keys() == table_columns(served, resource, default_naming()).types.keys()
                assert not [column for column, text in found.items() if not text or text.startswith("Not declared")]


def test_columns_that_no_declaration_names_say_where_they_come_from() -> None:
    platform = platform_named("ci_analytics")
    pipelines = platform.resource("organizations_pipelines")
    loaded = {"tags": "json", "default_branch__v_bigint": "bigint", "_dlt_load_id": "text"}
    found = column_descriptions(platform, pipelines, default_naming(), loaded)
    assert found["_organizations_slug"] == "Parent that the row was read for; `slug` in `ci_analytics.organizations`."
    assert found["_deleted_at"].startswith("When the row was missing")
    assert found["tags"] == "Not declared: a field that the API sends as well."
    assert found["default_branch__v_bigint"] == "Values of `default_branch` that are not of its type, as bigint."
    assert found["_dlt_load_id"].startswith("dlt's load")
    names = list(found)
    assert names[0] == "id" and names.index("tags") < names.index("_organizations_slug")


def test_a_column_without_a_description_names_its_field() -> None:
    platform = replace(platform_named("error_tracking"), column_descriptions={})
    found = column_descriptions(platform, platform.resource("events"), default_naming())
    assert found["group_id"] == "Field `groupID` of the API."
