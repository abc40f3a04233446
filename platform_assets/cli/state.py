"""`platform-assets state export` and `state import`: move rows and cursors between warehouses."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from platform_assets.cli.environment import (
    chosen_platforms,
    console,
    dagster_home,
    open_instance,
    report_broken_platforms,
)
from platform_assets.cli.table import Column, print_table
from platform_assets.configuration.platform_settings import is_configured
from platform_assets.counted import counted
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.http.base_urls import account_settings
from platform_assets.http.redaction import Redactor
from platform_assets.platforms import platform_named
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.load_errors import reason
from platform_assets.warehouse.location import check_settings, missing_file, warehouse_name, warehouse_secrets
from platform_assets.warehouse.source_account import origin_of
from platform_assets.warehouse.transfer import Manifest, TransferError
from platform_assets.warehouse.transfer.export import export_platform
from platform_assets.warehouse.transfer.load import import_platform


@dataclass(frozen=True)
class Moved:
    """What became of one platform: its manifest, or an error; neither if the warehouse has nothing of it."""

    platform: str
    manifest: Manifest | None = None
    error: str | None = None


def export_state(folder: Path, names: Sequence[str], *, as_json: bool) -> bool:
    """Write each platform into a folder of its name in `folder`, and print what was written.

    Returns whether all of them are; a platform that the warehouse has nothing of counts only if it was named.
    """
    report_broken_platforms()
    check_settings()
    missing = missing_file()
    if missing is not None:
        raise PlatformAssetsError(f"there is no warehouse at {missing} yet: `platform-assets sync` makes it")

    def write(platform: Platform) -> Manifest | None:
        with open_warehouse(platform) as warehouse:
            return export_platform(warehouse, folder / platform.name)

    done = [_moved(platform, write) for platform in chosen_platforms(names)]
    if not names:
        done = [one for one in done if one.manifest or one.error]
    _show("exported", folder, done, as_json=as_json)
    return _all_moved(done)


def import_state(folder: Path, names: Sequence[str], *, replace: bool, as_json: bool) -> bool:
    """Land each platform of an export, or the named ones, and print what was landed; whether all of them are."""
    report_broken_platforms()
    check_settings()
    if not folder.is_dir():
        raise TransferError(f"there is no folder {folder}")
    dagster_home()  # if it cannot be used, that is said before anything is landed
    found = [platform_named(name) for name in sorted(path.name for path in folder.iterdir() if _is_export(path))]
    if not found and not names:
        raise TransferError(f"{folder} has no export in it")

    def land(platform: Platform) -> Manifest:
        origin = origin_of(account_settings(platform)) if is_configured(platform) else None
        with open_warehouse(platform) as warehouse:
            return import_platform(warehouse, folder / platform.name, replace=replace, origin=origin)

    done = [_moved(platform, land) for platform in (chosen_platforms(names) if names else found)]
    _show("imported", folder, done, as_json=as_json)
    _report_to_dagster([one.manifest for one in done if one.manifest])
    return _all_moved(done)


def _is_export(folder: Path) -> bool:
    """Whether a platform is in it; one that begins with a dot was left by an export that was killed."""
    return folder.is_dir() and not folder.name.startswith(".")


def _moved(platform: Platform, move: Callable[[Platform], Manifest | None]) -> Moved:
    try:
        return Moved(platform.name, move(platform))
    except PlatformAssetsError as error:
        return Moved(platform.name, error=str(error))
    except Exception as error:
        # Errors of dlt and of the driver may quote anything; only their redacted text is reported.
        return Moved(platform.name, error=Redactor(warehouse_secrets())(reason(error)))


def _all_moved(done: Sequence[Moved]) -> bool:
    return bool(done) and all(one.manifest for one in done)


def _report_to_dagster(manifests: Sequence[Manifest]) -> None:
    """Record what was landed, so that the models above it count as stale."""
    if not manifests:
        return
    import dagster as dg

    with open_instance() as instance:
        for manifest in manifests:
            resources = {resource.name for resource in platform_named(manifest.platform).resources}
            for table in manifest.tables:
                if table.table in resources:
                    event = dg.AssetMaterialization(
                        dg.AssetKey([manifest.platform, table.table]),
                        description="platform-assets state import",
                        metadata={"dagster/row_count": table.rows, "rows_loaded": table.rows, "rows_removed": 0},
                    )
                    instance.report_runless_asset_event(event)


def _show(did: str, folder: Path, done: Sequence[Moved], *, as_json: bool) -> None:
    if as_json:
        document = {
            "ok": _all_moved(done),
            "warehouse": warehouse_name(),
            "folder": str(folder),
            "platforms": [_document(one) for one in done],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    moved = [(one.platform, one.manifest) for one in done if one.manifest]
    columns: list[Column[tuple[str, Manifest]]] = [
        Column("platform", lambda row: row[0]),
        Column("tables", lambda row: str(len(_resource_tables(row[1]))), right=True),
        Column("rows", lambda row: str(row[1].rows), right=True),
        Column("kB", lambda row: str(max(1, round(row[1].size / 1000))), right=True),
        Column("as of", lambda row: row[1].exported_at[:19] + "Z"),
    ]
    screen = console()
    if moved:
        print_table(screen, columns, moved)
        screen.print()
    for one in done:
        if one.error is not None:
            typer.echo(f"error: {one.platform}: {one.error}", err=True)
        elif one.manifest is None:
            typer.echo(f"error: {one.platform}: the warehouse has nothing of it", err=True)
    if not done:
        typer.echo("error: the warehouse has nothing of any platform", err=True)
    whole = f"{counted(len(moved), 'platform')} {did}"
    screen.print(f"{whole}: {folder}, {warehouse_name()}", highlight=False, soft_wrap=True)


def _document(one: Moved) -> dict[str, object]:
    manifest = one.manifest
    return {
        "platform": one.platform,
        "ok": manifest is not None,
        "exported_at": manifest.exported_at if manifest else None,
        "rows": manifest.rows if manifest else None,
        "bytes": manifest.size if manifest else None,
        "tables": _resource_tables(manifest) if manifest else [],
        "error": one.error,
    }


def _resource_tables(manifest: Manifest) -> list[dict[str, object]]:
    """The tables of resources, without our own and dlt's."""
    return [{"table": table.table, "rows": table.rows} for table in manifest.tables if table.is_of_rows]
