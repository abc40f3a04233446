"""dagster-dlt and dagster-dbt put objects into the metadata of assets, which the UI cannot show."""

from typing import Any, cast

import dagster as dg
from dagster._core.definitions.metadata import normalize_metadata
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_dlt import asset_decorator, dlt_assets

from platform_assets.definitions import defs
from platform_assets.patches.asset_metadata import readable_metadata
from platform_assets.platforms import platform_named
from platform_assets.warehouse.dlt_source import declared_source


def metadata_keys() -> set[str]:
    """Of an asset that `@dlt_assets` makes here."""
    source = declared_source(platform_named("load_testing"), ["organizations"])

    @dlt_assets(dlt_source=source, dlt_pipeline=cast(Any, None), name="load")
    def load(context: dg.AssetExecutionContext) -> None: ...

    return {key for spec in load.specs for key in spec.metadata}


def test_upstream_still_adds_objects_to_the_metadata() -> None:
    """When this fails: delete patches/asset_metadata.py."""
    assert "dagster_dlt/source" in metadata_keys()


def test_within_the_block_they_are_left_out_and_nothing_else() -> None:
    before, original = metadata_keys(), asset_decorator.build_dlt_asset_specs
    with readable_metadata():
        within = metadata_keys()
    assert before - within == {"dagster_dlt/source", "dagster_dlt/pipeline", "dagster_dlt/translator"}
    assert within <= before and asset_decorator.build_dlt_asset_specs is original


def test_upstream_still_shows_the_objects_of_models() -> None:
    """When this fails: delete `hide_objects_of_models`."""
    models = defs().get_repository_def().assets_defs_by_key[dg.AssetKey(["marts", "platform_health"])]
    metadata = models.metadata_by_key[dg.AssetKey(["marts", "platform_health"])]
    shown = normalize_metadata(metadata, allow_invalid=True)
    assert "unserializable" in str(shown["dagster_dbt/project"])


def test_the_ui_is_told_nothing_unreadable_and_all_else() -> None:
    nodes = RepositorySnap.from_def(defs().get_repository_def()).asset_nodes
    assert not [node.asset_key for node in nodes if "unserializable" in str(node.metadata)]
    models = [node for node in nodes if node.asset_key.path[0] == "marts"]
    assert models and all("dagster_dbt/unique_id" in node.metadata for node in models)
