"""What of the dbt project a warehouse cannot have yet, because somebody loads some platforms or tables only."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from platform_assets.warehouse.location import missing_file
from platform_assets.warehouse.queries import reading

# The macro by which a model reads those of its tables that exist, and does without the others.
_EXISTING = "existing"

Relation = tuple[str, str]


def existing_relations() -> set[Relation]:
    """(schema, name) of every table and view in the warehouse. Raises WarehouseError if it cannot be read."""
    if missing_file() is not None:
        return set()
    with reading("marts") as reader:
        found = reader.execute_sql("SELECT table_schema, table_name FROM information_schema.tables")
    return {(str(schema), str(name)) for schema, name in found}


def missing_sources(manifest: Mapping[str, Any], relations: Set[Relation]) -> dict[str, str]:
    """Unique id -> `<source>.<table>` of the sources that have no table."""
    return {
        unique_id: f"{source['source_name']}.{source['name']}"
        for unique_id, source in manifest["sources"].items()
        if (source["schema"], source["identifier"]) not in relations
    }


def models_without_tables(manifest: Mapping[str, Any], missing: Iterable[str]) -> dict[str, str]:
    """Unique id -> name of the models that cannot be built without the missing sources.

    A model that reads what exists of its tables needs only one of them.
    """
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] != "test"}
    gone = set(missing)
    while more := {key for key, node in models.items() if key not in gone and _is_stuck(node, gone)}:
        gone |= more
    return {key: node["name"] for key, node in models.items() if key in gone}


def unit_tests_without_tables(manifest: Mapping[str, Any], missing: Set[str]) -> list[str]:
    """Names of the unit tests of models that read a missing source: dbt takes the types of what they give from it."""
    return [
        test["name"]
        for test in manifest["unit_tests"].values()
        for tested in test["depends_on"]["nodes"]
        if not missing.isdisjoint(manifest["nodes"].get(tested, test)["depends_on"]["nodes"])
    ]


def left_out_tests(manifest: Mapping[str, Any], built: Set[Relation], relations: Set[Relation]) -> list[str]:
    """Names of the tests that dbt would run with the models it builds, and that are to be left out.

    These are the tests of another model, which is not built, and those that need a model that does not exist.

    Args:
        built: (schema, name) of the models that are built.
        relations: (schema, name) of what the warehouse has.
    """
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] != "test"}
    chosen = {key for key, node in models.items() if (node["schema"], node["alias"]) in built}
    missing = {key for key, node in models.items() if (node["schema"], node["alias"]) not in relations} - chosen
    return [
        test["name"]
        for test in manifest["nodes"].values()
        if test["resource_type"] == "test"
        and not chosen.isdisjoint(needed := test["depends_on"]["nodes"])
        and (test["attached_node"] not in chosen or not missing.isdisjoint(needed))
    ]


def _is_stuck(node: Mapping[str, Any], gone: Set[str]) -> bool:
    above = set(node["depends_on"]["nodes"])
    if any(macro.split(".")[-1] == _EXISTING for macro in node["depends_on"]["macros"]):
        return above <= gone
    return bool(above & gone)
