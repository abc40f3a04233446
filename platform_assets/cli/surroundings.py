"""What a command sets up around itself: Dagster's home, and the sandbox for platforms without a base_url."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from rich.console import Console

from platform_assets.extraction.configuration import environment
from platform_assets.extraction.errors import SettingsError
from platform_assets.extraction.settings import SANDBOX_VARIABLE, is_configured, platform_secret, setting_name
from platform_assets.platforms import all_platforms
from platform_assets.vocabulary import Platform
from platform_assets.warehouse.location import destination_name, duckdb_file

if TYPE_CHECKING:
    import dagster as dg

    from platform_assets.sandbox import SandboxServer

_DAGSTER_YAML = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


def dagster_home() -> Path:
    """`DAGSTER_HOME`, by default `data/dagster_home`, created on first use."""
    home = Path(os.environ.get("DAGSTER_HOME") or "data/dagster_home").expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(_DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def open_instance() -> Iterator["dg.DagsterInstance"]:
    """Dagster's instance in its home.

    Two processes that open a new home at once both try to create its tables, and one dies of it; so they
    take turns opening it.
    """
    import dagster as dg

    from platform_assets.orchestration.sqlite_engines import keep_engines

    keep_engines()
    home = dagster_home()
    with FileLock(home / "open.lock", timeout=120):
        instance = dg.DagsterInstance.get()
    with instance:
        yield instance


def console() -> Console:
    """Where tables go: as wide as the terminal, and wide enough for every line in a log."""
    found = Console()
    return found if found.is_terminal else Console(width=200)


def chosen_platforms(names: Sequence[str]) -> list[Platform]:
    """The named platforms, all of them without a name. Raises SettingsError for an unknown name."""
    known = {platform.name: platform for platform in all_platforms()}
    for name in names:
        if name not in known:
            raise SettingsError(f"no platform is called {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(known.values())


@contextmanager
def sandbox_for(platforms: Sequence[Platform], wanted: bool) -> Iterator["SandboxServer | None"]:
    """Serve the platforms that have no `base_url` from a sandbox of this process; None where none needs it.

    This process and its children find it in the environment, and `sandbox_serves` tells them; afterwards the
    environment is as before.
    """
    unconfigured = [platform for platform in platforms if not is_configured(platform)]
    if not wanted or not unconfigured:
        yield None
        return
    from platform_assets.sandbox import SandboxServer

    with SandboxServer() as server:
        urls = {platform.name: server.base_url(platform.name) for platform in unconfigured}
        variables = {SANDBOX_VARIABLE: json.dumps(urls)}
        for platform in unconfigured:
            variables[setting_name(platform, "base_url")] = urls[platform.name]
            variables[setting_name(platform, platform_secret(platform))] = server.token(platform.name)
        with environment(variables):
            yield server


def say_what_the_sandbox_serves(served: Iterable[str], configured: Iterable[str], url: str) -> str:
    """One line that names what comes from the sandbox, what does not, and the warehouse both go to."""
    line = f"sandbox: {url} serves {', '.join(served)} into {duckdb_file() or destination_name()}"
    others = ", ".join(configured)
    return f"{line}; configured: {others}" if others else line
