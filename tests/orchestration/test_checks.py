"""The mend that gives `@dlt_assets` asset checks can go when the decorator takes them itself."""

import inspect

from dagster_dlt import dlt_assets


def test_dlt_assets_does_not_take_check_specs_yet() -> None:
    """When this fails: hand `check_specs` to `@dlt_assets` and delete orchestration/dlt_checks.py."""
    assert "check_specs" not in inspect.signature(dlt_assets).parameters
