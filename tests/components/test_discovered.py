"""The assets of a specification are found at a refresh, and kept until the next one."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from platform_assets import OpenApiPlatformComponent
from tests.components.project import DECLARATION, load, new_project, tree
from tests.components.test_project import Project
from tests.platform_files.openapi_api import specification
from tests.servers.http_server import HttpServer, Reply, Request
from tests.servers.stub_api import StubApi

DEFS = """\
type: platform_assets.OpenApiPlatformComponent
attributes:
  name: shop
  specification: {url}/openapi.json
"""
Refresh = Callable[[], None]


class Vendor:
    """Serves its specification, as long as it is up."""

    def __init__(self) -> None:
        self.server = HttpServer(self._answer)
        self.content: Any = specification(self.server.url)
        self.status = 200

    def _answer(self, request: Request) -> Reply:
        return Reply(self.content, self.status)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    found = Vendor()
    with found.server:
        yield found


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Writes a file into the folder `defs` of a project, in which the process works."""
    folder = new_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))

    def write(name: str, text: str) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    return write


@pytest.fixture
def refresh(tmp_path: Path) -> Refresh:
    """What `dg utils refresh-defs-state` does, in this process."""

    def run() -> None:
        for component in tree().get_all_components(OpenApiPlatformComponent):
            asyncio.run(component.refresh_state(tmp_path))

    return run


def assets() -> set[str]:
    return {key.to_user_string() for key in load().asset_graph.get_all_asset_keys()}


def test_assets_are_those_of_the_last_refresh(
    write: Callable[[str, str], None], vendor: Vendor, refresh: Refresh
) -> None:
    write("shop/defs.yaml", DEFS.format(url=vendor.server.url))
    assert assets() == set(), "nothing was read yet"
    refresh()
    found = {"shop/orders", "shop/order_lines", "shop/customers", "shop/tags", "shop/logs", "shop/_sync_log"}
    assert assets() == found
    vendor.status = 503
    assert assets() == found, "no load of definitions reads the network"
    vendor.status = 200
    del vendor.content["paths"]["/tags"]
    assert assets() == found
    refresh()
    assert assets() == found - {"shop/tags"}


def test_only_some_lists_and_their_parents(write: Callable[[str, str], None], vendor: Vendor, refresh: Refresh) -> None:
    write("shop/defs.yaml", DEFS.format(url=vendor.server.url) + "  resources: [order_lines]\n  schedules: false\n")
    refresh()
    assert assets() == {"shop/orders", "shop/order_lines", "shop/_sync_log"}
    assert load().schedule_defs == []


@pytest.mark.parametrize(
    ("status", "content", "more", "reason"),
    [
        (404, {}, "", "/openapi.json answered 404"),
        (200, {"hello": "world"}, "", "is no OpenAPI 3.x or Swagger 2 specification"),
        (200, None, "  resources: [invoices]\n", "the specification has no list 'invoices'; there are orders"),
        (200, "x" * 20_000_001, "", "is larger than 20,000,000 bytes"),
    ],
)
def test_a_refresh_that_finds_nothing_fails_with_the_reason(
    write: Callable[[str, str], None],
    vendor: Vendor,
    refresh: Refresh,
    status: int,
    content: Any,
    more: str,
    reason: str,
) -> None:
    vendor.status, vendor.content = status, vendor.content if content is None else content
    write("shop/defs.yaml", DEFS.format(url=vendor.server.url) + more)
    with pytest.raises(dg.DagsterInvalidDefinitionError) as raised:
        refresh()
    assert str(raised.value).startswith("shop: ") and reason in str(raised.value)
    assert assets() == set()


def test_two_components_cannot_have_one_platform(
    write: Callable[[str, str], None], vendor: Vendor, refresh: Refresh
) -> None:
    write("shop/defs.yaml", DEFS.format(url=vendor.server.url))
    write("other/defs.yaml", "type: platform_assets.PlatformComponent\nattributes:\n  declaration: shop.yaml\n")
    write("other/shop.yaml", DECLARATION)
    refresh()
    with pytest.raises(Exception) as raised:
        load()
    assert "shop" in f"{raised.value} {raised.value.__cause__}"


@pytest.mark.slow
def test_with_dg(tmp_path: Path, vendor: Vendor) -> None:
    with StubApi() as api:
        project = Project(tmp_path, api)
        assert "platform_assets.OpenApiPlatformComponent" in project.dg("list", "components", "--json")
        (project.defs / "books").mkdir()
        (project.defs / "books" / "defs.yaml").write_text(DEFS.format(url=vendor.server.url).replace("shop", "books"))
        project.dg("utils", "refresh-defs-state")
        vendor.status = 503
        defs = json.loads(project.dg("list", "defs", "--json"))
        assert {"books/orders", "books/tags"} <= {one["asset_key"] for one in defs["assets"]}
