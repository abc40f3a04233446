"""Only platform_assets/patches/ imports Dagster's private modules, and only names that Dagster does not export."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

PACKAGE = Path(__file__).parents[2] / "platform_assets"


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_private(module: str) -> bool:
    """Whether a dotted name leads through a private module of a Dagster package."""
    package, *inner = module.split(".")
    return package.startswith("dagster") and any(name.startswith("_") for name in inner)


def test_private_modules_are_imported_by_patches_only() -> None:
    files = sorted(PACKAGE.rglob("*.py"))
    private = {
        path.relative_to(PACKAGE).parts[0] for path in files for name in imported_modules(path) if is_private(name)
    }
    assert private == {"patches"}


@pytest.mark.parametrize(
    "name",
    [
        "ASSET_PARTITION_RANGE_END_TAG",
        "ASSET_PARTITION_RANGE_START_TAG",
        "AssetCheckExecutionRecordStatus",
        "BulkActionsFilter",
        "BulkActionStatus",
        "InstigatorType",
        "NOT_FINISHED_STATUSES",
        "PARTITION_NAME_TAG",
        "RUN_KEY_TAG",
    ],
)
def test_dagster_does_not_export_it_yet(name: str) -> None:
    """When this fails: import the name from `dagster` where it is used, and delete it from patches/."""
    assert not hasattr(dg, name)
