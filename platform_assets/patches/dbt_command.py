"""dagster-dbt's command without two preparations that nothing here uses, 3 s of every build.

Before each command, dagster-dbt starts `dbt --version` to tell dbt from its successor, and makes an adapter of dbt in
this process, for row counts and column metadata that it could fetch. The version is that of the package beside it, and
nothing is fetched. It can go when tests/patches/test_dbt_command.py::test_upstream_still_prepares fails.
"""

from functools import cached_property
from importlib.metadata import version
from typing import Any

from packaging.version import Version

from platform_assets.patches.dbt_imports import DbtCliResource


class DbtCommand(DbtCliResource):
    """`DbtCliResource` for the dbt of this Python environment; `fetch_row_counts` and the like do not work with it."""

    @cached_property
    def _cli_version(self) -> Any:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> Any:
        return None
