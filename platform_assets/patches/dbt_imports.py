"""dagster-dbt, imported without dbt-core, which takes 0.9 s of the 1.9 s that all definitions take.

dagster-dbt works with a dbt that is a program of its own, and then defines itself the few names that it takes from
dbt-core otherwise. Ours is such a program: dbt runs in a process beside this one. Import dagster-dbt from here.

Upstream: https://github.com/dagster-io/dagster/issues/33827. It can go when
tests/patches/test_dbt_imports.py::test_upstream_still_imports_dbt_core fails.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from types import ModuleType
from typing import cast

from packaging.version import Version

_ASKED_FOR = "dbt.version"
# Earlier versions, such as that of the extra `embedded-elt`, need dbt-core to select models.
_SELECTS_WITHOUT = Version("0.29.27")


@contextmanager
def _without_dbt_core() -> Iterator[None]:
    """Within the block, dbt-core seems not to be installed, unless something has imported it already."""
    if _ASKED_FOR in sys.modules or Version(version("dagster-dbt")) < _SELECTS_WITHOUT:
        yield
        return
    sys.modules[_ASKED_FOR] = cast(ModuleType, None)
    try:
        yield
    finally:
        del sys.modules[_ASKED_FOR]


with _without_dbt_core():
    from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets
    from dagster_dbt.errors import DagsterDbtCliRuntimeError

__all__ = [
    "DagsterDbtCliRuntimeError",
    "DagsterDbtTranslator",
    "DbtCliInvocation",
    "DbtCliResource",
    "DbtProject",
    "dbt_assets",
]
