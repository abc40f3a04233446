"""dagster-dbt is imported without dbt-core, and when patches/dbt_imports.py can go."""

import subprocess
import sys
from enum import Enum

import pytest
from dbt.artifacts.schemas.results import NodeStatus, TestStatus

# The names that dagster-dbt defines itself, printed as `kind member=value`.
OWN_NAMES = """
import platform_assets.patches.dbt_imports
from dagster_dbt import compat
for kind in (compat.NodeStatus, compat.TestStatus):
    for member in kind:
        print(f"{kind.__name__} {member.name}={member.value}")
"""


# Each a cold start of a process.
pytestmark = pytest.mark.slow


def imports_dbt_core(code: str) -> bool:
    code += "\nimport sys; print(any(name.startswith('dbt.') for name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "True\n"


def test_upstream_still_imports_dbt_core() -> None:
    """When this fails: delete patches/dbt_imports.py."""
    assert imports_dbt_core("import dagster_dbt")


def test_definitions_load_without_dbt_core() -> None:
    assert not imports_dbt_core("from platform_assets.definitions import defs; defs()")


def test_dbt_core_can_be_imported_afterwards() -> None:
    assert imports_dbt_core("import platform_assets.patches.dbt_imports, dbt.version")


def test_every_status_of_dbt_core_is_known_without_it() -> None:
    done = subprocess.run([sys.executable, "-c", OWN_NAMES], check=True, capture_output=True, text=True)
    own = set(done.stdout.splitlines())
    kinds: list[type[Enum]] = [NodeStatus, TestStatus]
    values = {f"{kind.__name__} {member.value}" for kind in kinds for member in kind}
    assert values <= {f"{line.split()[0]} {line.partition('=')[2]}" for line in own}
