"""dagster-dlt puts its objects into the metadata of assets, which the UI cannot show."""

from typing import Any, cast

import dagster as dg
from dagster_dlt import asset_decorator, dlt_assets

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
