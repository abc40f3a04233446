"""Stories of `dg` in a project like create-dagster's: find the component, scaffold it, check, list and load."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests.cli.command import ROOT
from tests.components.project import DECLARATION, OTHER_CODE, new_project
from tests.servers.http_server import Reply
from tests.servers.stub_api import Query, StubApi, listed

pytestmark = pytest.mark.slow

LINES = {order: [{"id": 10 * order + line, "sku": f"s{line}"} for line in range(3)] for order in (1, 2, 3)}


class Project:
    """A project with other code in it, and an API with orders, their lines and what came back of them."""

    def __init__(self, folder: Path, api: StubApi) -> None:
        self.folder, self.api = folder, api
        self.defs = new_project(folder)
        (self.defs / "mine.py").write_text(OTHER_CODE)
        (folder / "shop.yaml").write_text(DECLARATION)
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.orders = [order_of(number) for number in LINES]
        api.routes["/v1/orders"] = self._orders
        for number, lines in LINES.items():
            api.routes[f"/v1/orders/{number}/lines"] = listed(lines)
            api.routes[f"/v1/orders/{number}/returns"] = listed([{"id": 100 + number, "reason": "too small"}])

    def _orders(self, query: Query) -> Reply:
        since = query.get("since", "")
        return listed([one for one in self.orders if one["updated_at"] >= since])(query)

    def dg(self, *words: str, succeeds: bool = True) -> str:
        """The output of a `dg` command in the project's folder."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dg")), *words],
            cwd=self.folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("SOURCES__")},
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(map(str, (installed(self.folder), self.folder / "src", ROOT))),
                "DAGSTER_HOME": str(self.home),
                "DESTINATION__DUCKDB__CREDENTIALS": str(self.folder / "warehouse.duckdb"),
                "WAREHOUSE__DESTINATION": "duckdb",
                "SOURCES__SHOP__BASE_URL": self.api.url,
                "SOURCES__SHOP__API_TOKEN": "t0ken",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert (done.returncode == 0) is succeeds, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + ("" if succeeds else done.stderr)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def partitions(self) -> set[str]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return set(instance.get_dynamic_partitions("shop_order"))

    def last_load(self, name: str) -> dict[str, Any]:
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(["shop", name]))
        assert event is not None and event.asset_materialization is not None
        return {key: entry.value for key, entry in event.asset_materialization.metadata.items()}


def order_of(number: int) -> dict[str, Any]:
    return {"id": number, "updated_at": f"2026-01-0{number}T00:00:00Z", "total": 1.5 * number}


def installed(folder: Path) -> Path:
    """A folder that says what an installation of this checkout says of its components.

    The environment of the tests may have been made before the last edit of pyproject.toml.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    target = folder / "installed" / f"platform_assets-{project['version']}.dist-info"
    target.mkdir(parents=True, exist_ok=True)
    (target / "METADATA").write_text(f"Metadata-Version: 2.1\nName: platform-assets\nVersion: {project['version']}\n")
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())])
        for group, points in project["entry-points"].items()
    ]
    (target / "entry_points.txt").write_text("\n".join(sections))
    return target.parent


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with StubApi() as api:
        yield Project(tmp_path, api)


def of_lines(numbers: Sequence[int]) -> list[tuple[Any, ...]]:
    return [(number, line["id"], line["sku"]) for number in numbers for line in LINES[number]]


def test_from_a_new_project_to_rows(project: Project) -> None:
    components = project.dg("list", "components", "--json")
    assert "platform_assets.PlatformComponent" in components
    project.dg("scaffold", "defs", "platform_assets.PlatformComponent", "shop", "--from", "shop.yaml")
    assert (project.defs / "shop" / "shop.yaml").read_text() == DECLARATION
    assert "All definitions loaded successfully" in project.dg("check", "defs")
    defs = json.loads(project.dg("list", "defs", "--json"))
    keys = {one["asset_key"] for one in defs["assets"]}
    assert keys == {"order_count", "shop/orders", "shop/order_lines", "shop/returns", "shop/_sync_log"}

    project.dg("launch", "--assets", "key:shop/orders or key:order_count")
    assert project.rows("SELECT id, total FROM shop.orders ORDER BY id") == [(1, 1.5), (2, 3.0), (3, 4.5)]
    assert project.partitions() == {"1", "2", "3"}
    project.dg("launch", "--assets", "key:shop/order_lines", "--partition", "2")
    loaded = "SELECT _orders_id, id, sku FROM shop.order_lines ORDER BY id"
    assert project.rows(loaded) == of_lines([2])
    project.dg("launch", "--job", "sync_shop")
    assert project.rows(loaded) == of_lines([1, 2, 3])
    assert project.rows("SELECT id FROM shop.returns ORDER BY id") == [(101,), (102,), (103,)]

    # One order is new since, and everything else is known.
    before = len(project.api.requests)
    project.orders.append(order_of(4))
    lines_of_new = [{"id": 40, "sku": "s0"}]
    project.api.routes["/v1/orders/4/lines"] = listed(lines_of_new)
    project.api.routes["/v1/orders/4/returns"] = listed([])
    project.dg("launch", "--job", "sync_shop")
    assert project.last_load("orders")["rows_loaded"] == 1 and project.partitions() == {"1", "2", "3", "4"}
    assert project.rows(loaded) == [*of_lines([1, 2, 3]), (4, 40, "s0")]
    assert project.rows("SELECT count(*), count(DISTINCT id) FROM shop.orders") == [(4, 4)]
    again = [one.query for one in project.api.requests[before:] if one.path == "/v1/orders"]
    assert again and all(datetime.fromisoformat(query["since"]) <= datetime(2026, 1, 3, tzinfo=UTC) for query in again)
