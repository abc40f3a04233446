"""Commands of `platform-assets`. Each imports what it needs when it runs, so that `--help` is fast."""

import errno
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from platform_assets.cli import declaring
from platform_assets.cli.ports import PortUnavailable
from platform_assets.declarations import PlatformAssetsError
from platform_assets.garbage import collect_less_often
from platform_assets.patches.typer_options import read_options_on_demand
from platform_assets.whole_file import write_whole

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _platform_names(incomplete: str) -> list[str]:
    """For the shell: platforms whose names begin so."""
    from platform_assets.platforms import all_platforms

    return [platform.name for platform in all_platforms() if platform.name.startswith(incomplete)]


def _asset_names(incomplete: str) -> list[str]:
    """For the shell: assets whose names begin so."""
    from platform_assets.platforms import all_platforms

    names = (f"{platform.name}/{resource.name}" for platform in all_platforms() for resource in platform.resources)
    return [name for name in names if name.startswith(incomplete)]


Platforms = Annotated[
    list[str] | None,
    typer.Option("--platform", "-p", help="Only this platform; may be repeated.", autocompletion=_platform_names),
]
_SELECT = "Only this asset, or those of a pattern: crm/deals, 'crm/deal*', '*/organizations'; may be repeated."
Assets = Annotated[list[str] | None, typer.Option("--select", "-s", help=_SELECT, autocompletion=_asset_names)]
Sandbox = Annotated[
    bool, typer.Option("--sandbox", help="Serve platforms that have no base_url from the built-in sandbox.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; docs/commands.md has its keys.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"platform-assets {version('platform-assets')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """API resources of SaaS platforms, as Dagster assets in your warehouse."""


class Spoken(StrEnum):
    """What the sandbox can speak."""

    REFERENCE = "reference"
    VENDOR = "vendor"


Contract = Annotated[
    Spoken,
    typer.Option(
        help="What the sandbox speaks: `reference`, or `vendor` for the contract of each platform's live vendor.",
    ),
]


@app.command()
def sync(
    platform: Platforms = None,
    select: Assets = None,
    partition: Annotated[
        list[str] | None,
        typer.Option("--partition", help="Only this partition of partitioned assets; may be repeated."),
    ] = None,
    parent: Annotated[
        list[str] | None,
        typer.Option("--parent", help="Only this parent of child assets, e.g. a deal id; may be repeated."),
    ] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Ignore cursors: read and load everything again.")
    ] = False,
    start_over: Annotated[
        bool,
        typer.Option(
            "--start-over",
            help="Drop all rows of the platforms first, e.g. to load another account; needs --platform.",
        ),
    ] = False,
    models: Annotated[bool, typer.Option(help="Build the dbt models downstream.")] = True,
    as_json: Json = False,
    sandbox: Sandbox = False,
    contract: Contract = Spoken.REFERENCE,
) -> None:
    """Load the chosen assets and build the dbt models downstream. Exit code 0 only if all landed, 130 after Ctrl-C."""
    from platform_assets.cli.environment import report_broken_platforms
    from platform_assets.cli.json_log import json_log
    from platform_assets.cli.phases import PhaseClock
    from platform_assets.cli.sync_request import SyncRequest, selected_assets
    from platform_assets.progress import Phase

    clock = PhaseClock()
    request = SyncRequest(
        platforms=tuple(platform or ()),
        assets=tuple(select or ()),
        partitions=tuple(partition or ()),
        parents=tuple(parent or ()),
        full_refresh=full_refresh,
        start_over=start_over,
        models=models,
        sandbox=sandbox,
        contract=contract,
        as_json=as_json,
    )
    with json_log():
        report_broken_platforms()
        assets = selected_assets(request)

        # Only now, since it imports Dagster: a misspelt name is reported at once.
        with clock.phase(Phase.DAGSTER):
            from platform_assets.cli.sync import run_sync

        raise typer.Exit(run_sync(request, assets, clock))


@app.command()
def status(
    platform: Platforms = None,
    exact: Annotated[bool, typer.Option("--exact", help="Show times as UTC instead of how long ago.")] = False,
    as_json: Json = False,
) -> None:
    """Show what is failed, stale or never loaded, then rows and times of every asset. Only reads."""
    from platform_assets.cli.status import show_status

    show_status(tuple(platform or ()), as_json=as_json, exact_times=exact)


@app.command()
def check(
    platform: Platforms = None,
    as_json: Json = False,
    sandbox: Sandbox = False,
    contract: Contract = Spoken.REFERENCE,
) -> None:
    """Check settings and credentials with one cheap request per platform."""
    from platform_assets.cli.check import check_platforms

    usable = check_platforms(tuple(platform or ()), sandbox=sandbox, contract=contract, as_json=as_json)
    raise typer.Exit(0 if usable else 1)


@app.command()
def verify(
    platform: Platforms = None,
    select: Assets = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="Write what is missing or changed, let a sync remove what is extra, and verify again."
        ),
    ] = False,
    as_json: Json = False,
    sandbox: Sandbox = False,
    contract: Contract = Spoken.REFERENCE,
) -> None:
    """Read the chosen assets completely from their APIs and compare every cell with the warehouse.

    Missing: served, but not in the table, or soft-deleted there. Extra: in the table, but not served (not a finding if
    the API only serves recent rows). Changed: some column differs. The comparison is with what the API serves now: a
    row that is newer than the last sync is listed as not synced yet, which is not a failure, but an edit that moves no
    cursor looks like any other difference until the next sync.

    Exit code 0 only if all was verified and nothing differs.
    """
    from platform_assets.cli.sync_request import SyncRequest, selected_assets

    assets = selected_assets(SyncRequest(platforms=tuple(platform or ()), assets=tuple(select or ())))

    # Only now, since it imports Arrow and dlt: a misspelt name is reported at once.
    from platform_assets.cli.verify import VerifyRequest, run_verify

    request = VerifyRequest(assets=tuple(assets), fix=fix, as_json=as_json, sandbox=sandbox, contract=contract)
    raise typer.Exit(0 if run_verify(request) else 1)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8765,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    contract: Contract = Spoken.REFERENCE,
) -> None:
    """Serve the five APIs locally with deterministic data that ends today, and print the settings that point there."""
    from platform_assets.cli.sandbox import serve_sandbox

    serve_sandbox(host, port, contract)


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.", min=1, max=65535)] = 3000,
    host: Annotated[str, typer.Option(help="Address of the Dagster UI; it has no login, keep it local.")] = "127.0.0.1",
    sandbox: Annotated[
        bool | None,
        typer.Option(
            help="Serve platforms that are not configured from the built-in sandbox, or leave them off."
            " Default: the sandbox if no platform at all is configured, else off."
        ),
    ] = None,
    contract: Contract = Spoken.REFERENCE,
) -> None:
    """Open the Dagster UI on what is configured, or on the sandbox if nothing is."""
    from platform_assets.cli.dev import open_ui

    raise typer.Exit(open_ui(host, port, sandbox, contract))


state = typer.Typer(no_args_is_help=True, help="Move rows and cursors between warehouses; docs/back-up.md.")
app.add_typer(state, name="state")
Export = Annotated[Path, typer.Argument(help="Folder of the export, with a folder for each platform in it.")]


@state.command("export")
def export_state(folder: Export, platform: Platforms = None, as_json: Json = False) -> None:
    """Write rows, cursors, log and account of the platforms, each as of one moment, as Parquet with checksums.

    The files hold the rows, so only their owner can read them; there is no credential in them.

    Exit code 0 only if all were written.
    """
    from platform_assets.cli.state import export_state

    raise typer.Exit(0 if export_state(folder, tuple(platform or ()), as_json=as_json) else 1)


@state.command("import")
def import_state(
    folder: Export,
    platform: Platforms = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in place of what the warehouse has of the platforms.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Land an export in the configured warehouse, of each platform all or nothing.

    A platform that the warehouse has already, another account's, or one of a damaged export, is refused and left as it
    is; the next sync reads what is newer than the export.

    Exit code 0 only if all landed.
    """
    from platform_assets.cli.state import import_state

    raise typer.Exit(0 if import_state(folder, tuple(platform or ()), replace=replace, as_json=as_json) else 1)


@app.command()
def metrics(
    platform: Platforms = None,
    port: Annotated[int | None, typer.Option(help="Serve them on this port instead.", min=1, max=65535)] = None,
    host: Annotated[str, typer.Option(help="Address to listen on, with --port; it has no login.")] = "127.0.0.1",
    file: Annotated[Path | None, typer.Option("--file", help="Write them into this file, all at once.")] = None,
) -> None:
    """Print what the warehouse recorded of syncs, rows, requests, waits, failures and lags as Prometheus reads it."""
    if port is not None and file is not None:
        raise typer.BadParameter("--port and --file contradict each other")
    from platform_assets.cli.metrics import serve_metrics, show_metrics, write_metrics

    names = tuple(platform or ())
    if port is not None:
        serve_metrics(host, port, names)
    elif file is not None:
        write_metrics(file, names)
    else:
        show_metrics(names)


@app.command()
def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path("data/report.html"),
) -> None:
    """Write one HTML page: what failed, how old the data is, and charts of the marts. It needs no network."""
    from platform_assets.reporting.page import report as render_report

    text = render_report()
    try:
        write_whole(output, text)
    except OSError as error:
        raise PlatformAssetsError(f"{output} cannot be written: {error.strerror}") from None
    typer.echo(f"written: {output} ({max(1, round(len(text) / 1000))} kB)")


@app.command(
    "dbt", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def dbt(context: typer.Context) -> None:
    """Run dbt on the configured warehouse: all that follows is dbt's own, e.g. `dbt build -s staging.crm`.

    Models of tables that were never loaded are left out. Exit code as dbt's.
    """
    from platform_assets.cli.dbt import run_dbt

    raise typer.Exit(run_dbt(context.args))


app.add_typer(declaring.commands)


@app.command("dbt-sources")
def dbt_sources(
    only_check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a file is out of date.")] = False,
) -> None:
    """Generate dbt's sources from the declarations."""
    from platform_assets.cli.environment import report_broken_platforms
    from platform_assets.configuration import configured
    from platform_assets.dbt import sources
    from platform_assets.platforms import broken_platforms

    configured("warehouse")  # reports a settings file that cannot be read, before anything else needs it
    report_broken_platforms()
    project = Path("dbt_project")
    if not project.is_dir():
        raise PlatformAssetsError(f"there is no {project} in {Path.cwd()}: run this in the folder of the project")
    platforms = sources.platforms_of(project)
    paths = sources.outdated(project, platforms) if only_check else sources.write(project, platforms)
    for path in paths:
        typer.echo(f"{'out of date' if only_check else 'written'}: {path}")
    raise typer.Exit(1 if (only_check and paths) or broken_platforms() else 0)


@app.command("scaffold-dbt")
def scaffold_dbt(
    name: Annotated[str, typer.Argument(help="Name of the platform.", autocompletion=_platform_names)],
    project: Annotated[
        Path | None, typer.Option("--project", help="Folder of your dbt project; default the one of this checkout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite models that are there.")] = False,
) -> None:
    """Write dbt staging models, with sources and tests, for a platform that has none."""
    from platform_assets.cli.scaffold_dbt import write_staging

    write_staging(name, project, force=force)


def main() -> None:
    """Run the command. An expected error is one line on stderr and exit code 1 (2 for a port), without a traceback."""
    collect_less_often()
    read_options_on_demand()
    try:
        app()
    except PlatformAssetsError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, PortUnavailable) else 1) from None
    except BrokenPipeError:
        # The reader of the output closed it, e.g. `| head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        line = storage_fault(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        raise SystemExit(1) from None


def storage_fault(error: BaseException) -> str | None:
    """A line for an error of the disk, a folder or Dagster's storage; None for any other error."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
        return error.strerror
    if type(error).__module__ == "sqlalchemy.exc":
        return f"Dagster's storage: {' '.join(str(error).split())[:200]}"
    return None
