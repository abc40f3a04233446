"""`platform-assets check`: settings and credentials, with one cheap request per platform."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import typer

from platform_assets.cli.account_details import account_details
from platform_assets.cli.environment import chosen_platforms, dagster_home_path, open_instance, sandbox_for, unserved
from platform_assets.configuration import ALERTS, WEBHOOK_URL, read, unknown_settings
from platform_assets.declarations import REFERENCE, Platform, PlatformAssetsError
from platform_assets.extraction.connection import connect
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.sync.account import agree_on_source
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.location import check_settings, exclusive, missing_file, warehouse_name
from platform_assets.warehouse.source_account import AnotherAccount

# Seconds that the check waits for a load in flight.
_WAREHOUSE_WAIT = 10.0
# Bytes written to find out whether the disk is full.
_TRIAL_BYTES = 65_536


def check_platforms(names: Sequence[str], *, sandbox: bool, contract: str = REFERENCE) -> bool:
    """Print a line per platform, one for the warehouse and one for Dagster's home; whether all are usable.

    Args:
        names: platforms to check; all of them if empty.
        sandbox: serve platforms that are not configured from the sandbox.
        contract: what the sandbox speaks.
    """
    platforms = chosen_platforms(names)
    left_out = unserved(platforms) if sandbox and not names else []
    for platform in left_out:
        typer.echo(f"{platform.name}: left out, it is not configured and the sandbox does not serve it")
    platforms = [platform for platform in platforms if platform not in left_out]
    broken = [] if names else [f"{one.module}: NOT OK: {one}" for one in broken_platforms()]
    unknown = unknown_settings(all_platforms(), [one.module for one in broken_platforms()])
    for line in [*broken, *(f"settings: NOT OK: {problem}" for problem in unknown)]:
        typer.echo(line)
    with sandbox_for(platforms, sandbox, contract):
        usable = [_check(platform) for platform in platforms]
    return all([not broken, not unknown, *usable, _check_warehouse(), _check_home(), _check_alerts()])


def _check_warehouse() -> bool:
    try:
        check_settings()
        missing = missing_file()
        if missing is not None:
            return _check_folder("warehouse", missing)
        with exclusive("reach", wait=_WAREHOUSE_WAIT):
            pass
    except PlatformAssetsError as error:
        typer.echo(f"warehouse: NOT OK: {str(error).removeprefix('warehouse: ')}")
        return False
    typer.echo(f"warehouse: ok, {warehouse_name()} can be opened")
    return True


def _check_home() -> bool:
    home = dagster_home_path()
    if not os.path.lexists(home):
        return _check_folder("dagster home", home)
    try:
        with open_instance():
            pass
    except PlatformAssetsError as error:
        typer.echo(f"dagster home: NOT OK: {error}")
        return False
    typer.echo(f"dagster home: ok, {home} can be opened")
    return True


def _check_folder(subject: str, path: Path) -> bool:
    """Whether the first load can create a file or folder at `path`. Leaves nothing behind."""
    nearest = next(folder for folder in path.parents if os.path.lexists(folder))
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        typer.echo(f"{subject}: NOT OK: {path} cannot be created: {nearest}: {error.strerror}")
        return False
    typer.echo(f"{subject}: ok, {path} will be created by the first load")
    return True


def _check_alerts() -> bool:
    """Whether the webhook's setting is usable. Prints nothing if it is: most projects have no webhook."""
    try:
        read(ALERTS, WEBHOOK_URL)
    except PlatformAssetsError as error:
        typer.echo(f"alerts: NOT OK: {str(error).removeprefix('alerts: ')}")
        return False
    return True


def _check_account(client: ApiClient) -> None:
    """Raise AnotherAccount if the warehouse has another account's rows. Its other errors have a line of their own."""
    try:
        if missing_file() is None:
            with open_warehouse(client.platform) as warehouse:
                agree_on_source(client, warehouse, read_only=True)
    except AnotherAccount:
        raise
    except PlatformAssetsError:
        return


def _check(platform: Platform) -> bool:
    try:
        connection = connect(platform)
        with connection.open_client(retries=False) as client:
            client.get(connection.platform.client.probe)
            _check_account(client)
            details = list(account_details(platform, client))
    except PlatformAssetsError as error:
        typer.echo(f"{platform.name}: NOT OK: {str(error).removeprefix(f'{platform.name}: ')}")
        return False
    typer.echo(f"{platform.name}: ok, {connection.settings.base_url} accepts the credential")
    for line in details:
        typer.echo(f"  {line}")
    return True
