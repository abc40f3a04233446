"""Assets without the objects in their metadata that the UI shows as `[DltSource] (unserializable)`.

`@dlt_assets` adds source, pipeline and translator for dagster-dlt's own `run`, which nothing here calls. They reach the
op's outputs too, so that `map_asset_specs` afterwards cannot take them out. It can go when
tests/patches/test_asset_metadata.py::test_upstream_still_adds_objects_to_the_metadata fails.

`@dbt_assets` adds manifest, translator and project, which its runs read from there: they are left out of what the UI
is told of an asset. It can go when test_upstream_still_shows_the_objects_of_models fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.definitions.metadata import normalize_metadata
from dagster._core.remote_representation import external_data
from dagster_dlt import asset_decorator
from dagster_dlt.constants import META_KEY_PIPELINE, META_KEY_SOURCE, META_KEY_TRANSLATOR

_OBJECTS = (META_KEY_SOURCE, META_KEY_PIPELINE, META_KEY_TRANSLATOR)
_MODEL_OBJECTS = ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator", "dagster_dbt/project")


@contextmanager
def readable_metadata() -> Iterator[None]:
    """Within this block the assets of `@dlt_assets` have the metadata of their translator only."""
    original = asset_decorator.build_dlt_asset_specs

    def build(*values: Any, **given: Any) -> Sequence[dg.AssetSpec]:
        return [_without_objects(spec) for spec in original(*values, **given)]

    asset_decorator.build_dlt_asset_specs = build
    try:
        yield
    finally:
        asset_decorator.build_dlt_asset_specs = original


def _without_objects(spec: dg.AssetSpec) -> dg.AssetSpec:
    readable = {key: value for key, value in spec.metadata.items() if key not in _OBJECTS}
    return spec.replace_attributes(metadata=readable)


def hide_objects_of_models() -> None:
    """Leave the objects of `@dbt_assets` out of what this process tells the UI of its assets, from now on."""
    external_data.normalize_metadata = _normalize  # pyright: ignore[reportPrivateImportUsage] -- the name that it calls


def _normalize(metadata: Mapping[str, Any], allow_invalid: bool = False) -> Mapping[str, Any]:
    """As Dagster's own, without the objects of models."""
    readable = {key: value for key, value in metadata.items() if key not in _MODEL_OBJECTS}
    return normalize_metadata(readable, allow_invalid)
