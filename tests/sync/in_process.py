"""One sync in a process of its own, which can be made to stop at a chosen moment of the load."""

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from dlt.common.storages.load_package import PackageStorage

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.http.client import ApiClient
from platform_assets.platforms import platform_named
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.forkserver import processes

PIPELINES = "organizations_pipelines"
STOP_AFTER = "TEST_STOPS_AFTER"
"""Setting of a test's process: the method of dlt after which it stops, so that a moment lasts until it is killed."""
STOPPED = "stopped"


def sync_in_process(name: str, resources: list[str], partitions: list[str], environment: dict[str, str]) -> None:
    """One sync, run in another process."""
    os.environ.update(environment)
    tempfile.tempdir = environment.get("TMPDIR")  # the process that this one was forked from may have cached it
    if method := environment.get(STOP_AFTER):
        stop_after(method)
    platform = platform_named(name)
    settings = read_settings(platform)
    selection = Selection(tuple(resources), partitions=frozenset(partitions) if partitions else None)
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        for outcome in sync(client, warehouse, selection):
            if not outcome.ok:
                raise SystemExit(str(outcome))


def stop_after(method: str) -> None:
    """Stop this process as soon as dlt has moved the job of the pipelines' rows."""
    original = getattr(PackageStorage, method)

    def stopping(self: PackageStorage, load_id: str, file_name: str) -> str:
        moved: str = original(self, load_id, file_name)
        if file_name.startswith(f"{PIPELINES}."):
            Path(tempfile.gettempdir(), STOPPED).touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return moved

    setattr(PackageStorage, method, stopping)


def started(*arguments: Any) -> Any:
    """The process of a sync, with the settings of this one."""
    ours = ("SOURCES__", "DESTINATION__", "WAREHOUSE__", "TMPDIR", STOP_AFTER)
    environment = {n: v for n, v in os.environ.items() if n.startswith(ours)}
    process = processes.Process(target=sync_in_process, args=(*arguments, environment))
    process.start()
    return process
