"""What the tests of the verification share: run it, change the warehouse by hand, and summarise what it found."""

from pathlib import Path

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.verification import Verification, verify
from platform_assets.warehouse import open_warehouse
from tests.databases import execute

PLATFORMS = [platform.name for platform in all_platforms()]
Found = dict[str, Verification]


def verified(name: str, *resources: str, **options: object) -> Found:
    """Verify resources of a platform, by default all of them."""
    platform = platform_named(name)
    settings = read_settings(platform)
    names = resources or [resource.name for resource in platform.resources]
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        return {found.name: found for found in verify(client, warehouse, names, **options)}  # pyright: ignore[reportArgumentType] -- keywords of verify


def tamper(path: Path, *statements: str) -> None:
    """Change the warehouse outside of a sync."""
    execute(path, *statements)


def findings(found: Verification) -> set[tuple[str, object, tuple[str, ...]]]:
    """Kind, value of the (single) key, and columns of the examples."""
    return {(str(one.kind), *one.key.values(), one.columns) for one in found.examples}  # pyright: ignore[reportReturnType] -- one key column
