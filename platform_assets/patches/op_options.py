"""Keywords of `@multi_asset` that `@dlt_assets`, which calls it, does not pass on: asset checks.

It replaces `multi_asset` in dagster-dlt's module for as long as the decorator runs. The alternative, checks in ops of
their own, would read the outcome of a load again from the warehouse. It can go when
tests/patches/test_op_options.py::test_dlt_assets_does_not_take_check_specs_yet fails.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster_dlt import asset_decorator


@contextmanager
def op_options(**options: Any) -> Iterator[None]:
    """Within this block `@dlt_assets` passes these keywords to `@multi_asset` as well."""
    original: Any = vars(asset_decorator)["multi_asset"]
    setattr(asset_decorator, "multi_asset", functools.partial(original, **options))  # noqa: B010 -- not public
    try:
        yield
    finally:
        setattr(asset_decorator, "multi_asset", original)  # noqa: B010 -- not public
