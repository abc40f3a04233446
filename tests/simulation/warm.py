"""Imported only by the forkserver: one small sync, so that forked processes have everything imported."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.client import environment_of, sync_here
from tests.simulation.clock import Clock
from tests.simulation.server import Server
from tests.simulation.store import Store
from tests.simulation.warehouse import DuckDBFile


def warm_up() -> None:
    """A sync and a second one over the same warehouse, in this process; no thread is left."""
    clock = Clock()
    store = Store("load_testing", clock)
    store.insert("organizations")
    with TemporaryDirectory() as folder, Server(store) as server:
        environment = environment_of("load_testing", server.url, DuckDBFile(Path(folder)), "one", {})
        for _ in range(2):
            names = ("organizations", "projects")
            report = sync_here("load_testing", names, environment, clock.now, {"parents": None, "full_refresh": False})
            assert report.ended, report.raised


warm_up()
