"""`@dlt_assets` without the objects that it puts into the metadata of its assets: source, pipeline and translator.

They are for dagster-dlt's own `run`, which nothing here calls, and the UI shows them as `[DltSource] (unserializable)`.
They reach the op's outputs too, so that `map_asset_specs` afterwards cannot take them out. It can go when
tests/patches/test_asset_metadata.py::test_upstream_still_adds_objects_to_the_metadata fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster_dlt import asset_decorator
from dagster_dlt.constants import META_KEY_PIPELINE, META_KEY_SOURCE, META_KEY_TRANSLATOR

_OBJECTS = (META_KEY_SOURCE, META_KEY_PIPELINE, META_KEY_TRANSLATOR)


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
