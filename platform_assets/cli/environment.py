"""What commands set up before they run: Dagster's home, the chosen platforms, their settings, and the sandbox."""

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from platform_assets.cli.sandbox_day import sandbox_records
from platform_assets.configuration import (
    ALERTS,
    DOCS,
    DOCS_URL,
    FOLDER,
    LOG_FORMAT,
    LOGGING,
    METRICS,
    METRICS_FILE,
    PLATFORMS,
    SANDBOX,
    SANDBOX_DAY,
    WAREHOUSE,
    WAREHOUSE_SETTINGS,
    WEBHOOK_URL,
    environment,
    read,
    unknown_settings,
)
from platform_assets.configuration.dagster_home import dagster_home_path, unusable_home
from platform_assets.configuration.platform_settings import is_configured, platform_secrets, setting_name
from platform_assets.declarations import REFERENCE, Platform, PlatformAssetsError
from platform_assets.http.base_urls import account_settings
from platform_assets.http.errors import SettingsError
from platform_assets.platforms import all_platforms, broken_platforms, platform_named
from platform_assets.warehouse.location import check_settings as check_warehouse_settings
from platform_assets.warehouse.location import warehouse_name
from platform_assets.whole_file import write_whole

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from platform_assets.sandbox import SandboxServer

_FIRST_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  python_log_level: INFO
"""
# What a new Dagster home is configured with. Runs print what is said through `context.log`, not each of their events.
# A run that the UI launches waits until the queue is looked at, by default every five seconds.
DAGSTER_YAML = f"""\
{_FIRST_YAML}run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
"""
# What earlier versions configured: a home that has it was not edited by anybody.
EARLIER_YAML = (_FIRST_YAML,)

# What the sandbox speaks instead of `reference`: the contract of each platform's live vendor.
VENDOR = "vendor"


def dagster_home() -> Path:
    """`DAGSTER_HOME`, by default `data/dagster_home`, created on first use. Raises SettingsError if it cannot be."""
    home = dagster_home_path()
    config = home / "dagster.yaml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not config.exists() or config.read_text() in EARLIER_YAML:
            write_whole(config, DAGSTER_YAML)
    except OSError as error:
        raise SettingsError(unusable_home(home, error.strerror)) from None
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def open_instance() -> Iterator["dg.DagsterInstance"]:
    """Dagster's instance in its home. Raises SettingsError if it cannot be opened.

    Opened under a lock: of two processes that open a new home at once, both create its tables, and one fails.
    """
    import dagster as dg
    import yaml
    from filelock import FileLock
    from sqlalchemy.exc import SQLAlchemyError

    from platform_assets.patches.sqlite_engines import kept_engines

    home = dagster_home()
    with kept_engines():
        try:
            with FileLock(home / "open.lock", timeout=120):
                instance = dg.DagsterInstance.get()
        except OSError as error:
            raise SettingsError(unusable_home(home, error.strerror or str(error))) from None
        except (dg.DagsterError, yaml.YAMLError, SQLAlchemyError) as error:
            raise SettingsError(unusable_home(home, " ".join(str(error).split())[:200])) from None
        with instance:
            yield instance


def console(*, stderr: bool = False) -> "Console":
    """A console as wide as the terminal, or wide enough for every line of a table in a log.

    Without a terminal, `COLUMNS` still says how wide it is.
    """
    from rich.console import Console

    terminal = Console(stderr=stderr)
    return terminal if terminal.is_terminal or "COLUMNS" in os.environ else Console(width=200, stderr=stderr)


def chosen_platforms(names: Sequence[str]) -> list[Platform]:
    """The named platforms, or all usable ones if `names` is empty. Raises SettingsError for a name that is unusable."""
    return [platform_named(name) for name in dict.fromkeys(names)] if names else list(all_platforms())


def report_broken_platforms() -> None:
    """Print to stderr which platform files cannot be used; the other platforms are not affected."""
    for broken in broken_platforms():
        print(f"error: {broken}", file=sys.stderr)


def settings_problems(platforms: Sequence[Platform]) -> list[str]:
    """A line for each problem with the settings: what nothing reads, and what cannot be used."""
    problems = unknown_settings(all_platforms(), [name for broken in broken_platforms() for name in broken.names])
    readers: list[Callable[[], object]] = [functools.partial(account_settings, platform) for platform in platforms]
    readers += [functools.partial(read, WAREHOUSE, setting) for setting in WAREHOUSE_SETTINGS]
    readers += [check_warehouse_settings, functools.partial(read, ALERTS, WEBHOOK_URL)]
    readers += [functools.partial(read, METRICS, METRICS_FILE), functools.partial(read, LOGGING, LOG_FORMAT)]
    readers += [functools.partial(read, PLATFORMS, FOLDER), functools.partial(read, DOCS, DOCS_URL)]
    readers += [functools.partial(read, SANDBOX, SANDBOX_DAY)]
    for reader in readers:
        try:
            reader()
        except PlatformAssetsError as error:
            problems.append(str(error))
    return list(dict.fromkeys(problems))


def unserved(platforms: Sequence[Platform]) -> list[Platform]:
    """The platforms that have no `base_url` and that the sandbox does not serve."""
    from platform_assets.sandbox import SERVED

    return [platform for platform in platforms if platform.name not in SERVED and not is_configured(platform)]


@contextmanager
def sandbox_for(
    platforms: Sequence[Platform], wanted: bool, contract: str = REFERENCE
) -> Iterator["SandboxServer | None"]:
    """Serve the platforms that are not configured from a sandbox in this process; None if no platform needs it.

    By their contract `reference`, or with `VENDOR` by the first vendor's contract that each of them has. This process
    and its children find it through environment variables, which are restored afterwards.
    """
    unconfigured = [platform for platform in platforms if not is_configured(platform)]
    if not wanted or not unconfigured:
        yield None
        return
    from platform_assets.sandbox import SERVED, SandboxServer

    records, clock = sandbox_records()
    with SandboxServer(records, clock=clock) as server:
        variables: dict[str, str] = {}
        for platform in (platform for platform in unconfigured if platform.name in SERVED):
            for key, value in sandbox_settings(platform, server.url, contract).items():
                variables[setting_name(platform, key)] = value
        with environment(variables):
            yield server


def sandbox_settings(platform: Platform, url: str, contract: str) -> dict[str, str]:
    """Setting -> value under `[sources.<platform>]` that points a platform at a sandbox.

    Args:
        url: where the sandbox listens.
        contract: `VENDOR` for the first vendor's contract that the platform has, else its contract `reference`.
    """
    from platform_assets.sandbox import VendorOptions, sandbox_token, vendor_settings

    if contract == VENDOR and platform.contracts:
        chosen = next(iter(platform.contracts))
        return {"base_url": f"{url}/vendor/{chosen}", **vendor_settings(chosen, VendorOptions())}
    secrets = dict.fromkeys(platform_secrets(platform), sandbox_token(platform.name))
    return {"base_url": f"{url}/{platform.name}", **secrets}


def sandbox_line(served: Iterable[str], configured: Iterable[str], url: str) -> str:
    """A line that names what the sandbox serves, what it does not, and the warehouse that both are loaded into."""
    line = f"sandbox: {url} serves {', '.join(served)} into {warehouse_name()}"
    others = ", ".join(configured)
    return f"{line}; configured: {others}" if others else line
