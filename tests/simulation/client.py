"""Syncs in separate processes, each with its own settings, warehouse and simulated time, each killable.

The only module that calls the product. The forkserver has imported it (`warm`), so that a sync costs only a fork.
"""

import os
import signal
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.forkserver import processes
from tests.settings import platform_settings
from tests.simulation.clock import set_time
from tests.simulation.warehouse import Warehouse

# A sync that takes longer counts as hung.
SECONDS = 90.0


@dataclass(frozen=True)
class Outcome:
    """What a sync reports about one resource."""

    ok: bool
    error: str | None = None
    failed: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    withheld: int = 0
    loaded: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether no problem was reported."""
        return self.ok and not self.skipped and not self.failed


@dataclass
class Report:
    """The result of a sync: the outcome of each resource, or why there is none."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    raised: str | None = None
    killed: bool = False
    hung: bool = False

    @property
    def ended(self) -> bool:
        return not (self.killed or self.hung or self.raised)


class Sync:
    """A running sync. `pid` is its process."""

    def __init__(
        self,
        platform: str,
        resources: Sequence[str],
        url: str,
        warehouse: Warehouse,
        now: datetime,
        token: str = "one",
        settings: Mapping[str, str] | None = None,
        full_refresh: bool = False,
        parents: Sequence[str] | None = None,
    ) -> None:
        environment = environment_of(platform, url, warehouse, token, settings or {})
        self._mine, theirs = processes.Pipe(duplex=False)
        selection = {"full_refresh": full_refresh, "parents": parents}
        self._process = processes.Process(
            target=_sync_and_end,
            args=(theirs, platform, tuple(resources), environment, now, selection),
            daemon=True,
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def running(self) -> bool:
        return self._process.is_alive()

    def report(self, seconds: float = SECONDS) -> Report:
        """Wait for the end."""
        try:
            found = self._mine.recv() if self._mine.poll(seconds) else Report(hung=True)
        except EOFError:
            found = Report(killed=True)
        if found.hung:
            self._process.kill()
        self._process.join()
        if found.killed and self._process.exitcode != -signal.SIGKILL:
            # Otherwise a history in which no sync ever ran would have no findings.
            found = Report(raised=f"not killed, but exited with {self._process.exitcode}; see sync.log")
        self._mine.close()
        return found


def environment_of(
    platform: str, url: str, warehouse: Warehouse, token: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """What points a sync at a server and a warehouse; `settings` are the platform's, e.g. `PAGE_SIZE`."""
    return {
        **platform_settings(platform, url, token, **{"READ_TIMEOUT": "60", **settings}),
        **warehouse.settings,
        "DAGSTER_HOME": str(warehouse.folder / "home"),
        "TMPDIR": str(warehouse.folder),
    }


def sync_here(
    platform: str,
    resources: tuple[str, ...],
    environment: Mapping[str, str],
    now: datetime,
    selection: Mapping[str, Any],
) -> Report:
    """A sync in this process; changes the process's environment and time."""
    for name in list(os.environ):
        if name.startswith(("SOURCES__", "WAREHOUSE__", "DESTINATION__")):
            del os.environ[name]
    os.environ.update(environment)
    tempfile.tempdir = None
    try:
        set_time(now)
        return Report(outcomes=_sync(platform, resources, selection))
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        lines = [line for line in str(error).splitlines() if "Error: " in line or "Exception: " in line]
        message = (lines or str(error).splitlines() or [""])[-1][:400]
        return Report(raised=f"{type(error).__name__}: {message} ({Path(where.filename).name}:{where.lineno})")


def _sync_and_end(answer: Connection, *what: Any) -> None:
    # Its log is `sync.log` in the history's folder.
    environment = what[2]
    with Path(environment["TMPDIR"], "sync.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    answer.send(sync_here(*what))
    answer.close()
    # Skip the interpreter's clean-up (threads, temporary files): it is not under test and costs time.
    os._exit(0)


def _sync(platform_name: str, resources: tuple[str, ...], selection: Mapping[str, Any]) -> dict[str, Outcome]:
    """Parents first, then children, as a run of all assets does."""
    from platform_assets.configuration.platform_settings import read_settings
    from platform_assets.http.client import ApiClient
    from platform_assets.platforms import platform_named
    from platform_assets.sync import Selection, sync
    from platform_assets.warehouse import open_warehouse

    platform = platform_named(platform_name)
    settings = read_settings(platform)
    chosen = [resource for resource in platform.resources if resource.name in resources]
    outcomes: dict[str, Outcome] = {}
    parents = frozenset(selection["parents"]) if selection["parents"] else None
    for stage in ([r.name for r in chosen if not r.parent], [r.name for r in chosen if r.parent]):
        if not stage:
            continue
        chosen_stage = Selection(tuple(stage), parents=parents, full_refresh=selection["full_refresh"])
        with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
            for outcome in sync(client, warehouse, chosen_stage):
                outcomes[outcome.name] = Outcome(
                    ok=outcome.ok,
                    error=outcome.error or next(iter(outcome.failed_partitions.values()), None),
                    failed=dict(outcome.left_failed),
                    skipped=tuple(outcome.skipped_parents),
                    withheld=outcome.deletion_withheld,
                    loaded=outcome.rows_loaded,
                )
    return outcomes
