"""`platform-assets check`: settings and credentials, with one cheap request per platform."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from platform_assets.cli.surroundings import chosen_platforms, sandbox_for
from platform_assets.extraction.client import ApiClient
from platform_assets.extraction.settings import read_settings
from platform_assets.vocabulary import Platform, PlatformAssetsError
from platform_assets.warehouse.location import destination_name, duckdb_file, exclusive

_WAREHOUSE_WAIT = 10.0
"""Seconds that the check waits for a load under way."""


def check_platforms(names: Sequence[str], *, sandbox: bool) -> bool:
    """Print a line per platform and one for the warehouse; whether all are usable."""
    platforms = chosen_platforms(names)
    with sandbox_for(platforms, sandbox):
        usable = [_check(platform) for platform in platforms]
    return all([*usable, _check_warehouse()])


def _check_warehouse() -> bool:
    path = duckdb_file()
    if path is not None and not path.exists():
        return _check_folder(path)
    try:
        with exclusive("reach", wait=_WAREHOUSE_WAIT):
            pass
    except PlatformAssetsError as error:
        typer.echo(f"warehouse: NOT OK: {error}")
        return False
    typer.echo(f"warehouse: ok, {path or destination_name()} can be opened")
    return True


def _check_folder(path: Path) -> bool:
    """Whether the first load can make the file; a check leaves nothing behind."""
    nearest = next(folder for folder in path.parents if folder.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        typer.echo(f"warehouse: NOT OK: {path} cannot be made: {nearest} cannot be written to")
        return False
    typer.echo(f"warehouse: ok, {path} will be made by the first load")
    return True


def _check(platform: Platform) -> bool:
    try:
        settings = read_settings(platform)
        platform = platform.speaking(settings.contract)
        with ApiClient(platform, settings, patient=False) as client:
            client.get(platform.client.probe)
    except PlatformAssetsError as error:
        typer.echo(f"{platform.name}: NOT OK: {str(error).removeprefix(f'{platform.name}: ')}")
        return False
    typer.echo(f"{platform.name}: ok, {settings.base_url} accepts the credential")
    return True
