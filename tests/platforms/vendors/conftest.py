"""A platform under a live vendor's contract, as the sandbox speaks it, loaded into a warehouse of its own."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sandbox import VENDOR_PLATFORMS, SandboxServer, vendor_rows
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.settings import vendor_settings
from tests.warehouse_rows import differences, query


@dataclass
class Vendor:
    """One contract, its server and its warehouse."""

    contract: str
    server: SandboxServer
    file: Path

    @property
    def platform(self) -> str:
        return VENDOR_PLATFORMS[self.contract]

    def sync(self, *names: str, full_refresh: bool = False) -> dict[str, ResourceOutcome]:
        """Sync some resources, all by default, parents first."""
        declared = platform_named(self.platform)
        chosen = [one for one in declared.resources if not names or one.name in names]
        found: dict[str, ResourceOutcome] = {}
        for stage in ([one for one in chosen if not one.parent], [one for one in chosen if one.parent]):
            if stage:
                connection = connect(declared)
                selection = Selection(tuple(one.name for one in stage), full_refresh=full_refresh)
                with open_warehouse(connection.platform) as warehouse, connection.open_client() as client:
                    found |= {outcome.name: outcome for outcome in sync(client, warehouse, selection)}
        return found

    def problems(self, *names: str) -> list[str]:
        """What differs between some tables, by default all, and what a correct load of this contract has."""
        platform = connect(platform_named(self.platform)).platform
        expected = vendor_rows(self.server.backend, self.contract)
        return [
            f"{resource.name}: {problem}"
            for resource in platform.resources
            if not names or resource.name in names
            for problem in differences(self.file, platform, resource, expected.get(resource.name, []))
        ]

    def contents(self) -> dict[str, list[tuple[object, ...]]]:
        """Every value of every table, our own columns included."""
        return {resource.name: self.contents_of(resource.name) for resource in platform_named(self.platform).resources}

    def contents_of(self, name: str) -> list[tuple[object, ...]]:
        return sorted(query(self.file, f"SELECT * FROM {self.platform}.{name}"), key=repr)

    def contents_of_own_tables(self) -> list[tuple[object, ...]]:
        """Every value of the tables that hold the state of loading: progress, log, source."""
        names = query(
            self.file,
            "SELECT table_name FROM information_schema.tables"
            f" WHERE table_schema = '{self.platform}' AND table_name LIKE '\\_%' ESCAPE '\\'",
        )
        return [row for (name,) in names for row in query(self.file, f"SELECT * FROM {self.platform}.{name}")]

    def requests(self) -> int:
        return len(self.server.requests)


def errors(outcomes: Mapping[str, ResourceOutcome]) -> dict[str, str]:
    """Why the resources failed that did."""
    return {
        name: outcome.error or str(outcome.failed_partitions) for name, outcome in outcomes.items() if not outcome.ok
    }


MakeVendor = Callable[..., Vendor]


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch, warehouse_file: Path) -> Iterator[MakeVendor]:
    """`vendor("sentry")`: settings that point at a sandbox which speaks this contract; `more` are further settings."""
    servers: list[SandboxServer] = []

    def make(contract: str, **more: str) -> Vendor:
        server = SandboxServer()
        server.__enter__()
        servers.append(server)
        for name, value in vendor_settings(server, contract, **more).items():
            monkeypatch.setenv(name, value)
        return Vendor(contract, server, warehouse_file)

    yield make
    for server in servers:
        server.__exit__(None, None, None)
