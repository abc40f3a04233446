"""Asset checks for `@dlt_assets`, whose decorator does not take `check_specs` as `@multi_asset` does.

Remove when it does: tests/orchestration/test_checks.py looks at its signature.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster_dlt import asset_decorator


@contextmanager
def with_checks(specs: Sequence[dg.AssetCheckSpec]) -> Iterator[None]:
    """Have `@dlt_assets` inside this block make an op that also yields the results of these checks."""
    plain: Any = vars(asset_decorator)["multi_asset"]
    setattr(asset_decorator, "multi_asset", functools.partial(plain, check_specs=specs))  # noqa: B010 -- not public
    try:
        yield
    finally:
        setattr(asset_decorator, "multi_asset", plain)  # noqa: B010 -- not public
