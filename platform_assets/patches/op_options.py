"""What `@multi_asset` takes and `@dlt_assets`, which calls it, does not hand on: asset checks.

Remove when it does: tests/orchestration/test_checks.py looks at its signature.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster_dlt import asset_decorator


@contextmanager
def op_options(**options: Any) -> Iterator[None]:
    """Have `@dlt_assets` inside this block call `@multi_asset` with these keywords too."""
    plain: Any = vars(asset_decorator)["multi_asset"]
    setattr(asset_decorator, "multi_asset", functools.partial(plain, **options))  # noqa: B010 -- not public
    try:
        yield
    finally:
        setattr(asset_decorator, "multi_asset", plain)  # noqa: B010 -- not public
