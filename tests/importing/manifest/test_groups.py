"""Groups of parents in one request: each parent keeps rows and state of its own, in whatever group it is asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from platform_assets.declarations import ParentBatch
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from tests.databases import fetch
from tests.importing.manifest.cases import CASES
from tests.importing.manifest.loading import imported, settings, synced
from tests.servers.http_server import HttpServer, Reply, Request

GROUPS = CASES["groups of parents whose records say whose they are"]


class Grouped:
    """An API of organizations, whose projects are asked for by two organizations at a time."""

    def __init__(self) -> None:
        self.projects = {"a": [1, 2], "b": [3], "c": [4, 5]}
        self.asked: list[str] = []
        self.stranger = False
        # Of every organization: one that has not changed is not asked for again.
        self.version = "1"

    def __call__(self, request: Request) -> Reply:
        if request.path == "/v1/orgs":
            return Reply({"orgs": [{"slug": slug, "name": self.version} for slug in self.projects]})
        slugs = dict(parse_qsl(request.target.partition("?")[2]))["slugs"]
        self.asked.append(slugs)
        found = [{"id": id, "slug": slug} for slug in slugs.split(",") for id in self.projects[slug]]
        return Reply([{"id": 1, "slug": "somebody else"}] if self.stranger else found)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Grouped, str]]:
    """The server with its address; a platform that is imported has its settings."""
    for setting, value in settings().items():
        monkeypatch.setenv(setting, value)
    grouped = Grouped()
    with HttpServer(grouped) as server:
        yield grouped, server.url


def manifest(url: str, **requester: Any) -> dict[str, Any]:
    streams = json.loads(json.dumps(GROUPS.streams).replace("{url}", url))
    streams[1]["retriever"]["requester"].update(requester)
    return {"type": "DeclarativeSource", "check": {"stream_names": ["orgs"]}, "streams": streams}


def rows(file: Path) -> list[tuple[Any, ...]]:
    return sorted(fetch(file, "SELECT id, slug, _deleted_at IS NOT NULL FROM shop.projects")[1])


def test_a_parent_keeps_its_rows_and_state_in_another_group(api: tuple[Grouped, str], warehouse_file: Path) -> None:
    vendor, url = api
    platform, left_out = imported(manifest(url))
    assert not left_out
    assert platform.resource("projects").endpoint.batch == ParentBatch(size=2, parent_field="slug")
    synced(platform)
    assert len(vendor.asked) == 2 and sorted(",".join(vendor.asked).split(",")) == ["a", "b", "c"]
    # A new organization moves the others to other groups; a project of one is gone.
    vendor.projects = {"0": [9], "c": [4, 5], "a": [1], "b": [3]}
    for vendor.version in ("2", "3"):
        vendor.asked.clear()
        synced(platform)
        # What a read lacks is asked for twice, before it counts as removed.
        assert set(",".join(vendor.asked).split(",")) == {"0", "a", "b", "c"}
    assert rows(warehouse_file) == [
        (1, "a", False), (2, "a", True), (3, "b", False), (4, "c", False), (5, "c", False), (9, "0", False),
    ]  # fmt: skip


def test_a_record_of_a_parent_that_was_not_asked_for_fails_the_read(
    api: tuple[Grouped, str], warehouse_file: Path
) -> None:
    vendor, url = api
    platform, _ = imported(manifest(url))
    vendor.stranger = True
    with pytest.raises(AssertionError, match="was not asked for"):
        synced(platform)


@pytest.mark.parametrize(
    ("requester", "why"),
    [
        ({"request_parameters": {"orgs": "{{ stream_partition.org | join(',') }}"}}, "nothing says whose"),
        ({"request_parameters": {"slugs": "{{ stream_partition.org | join(';') }}"}}, "nothing says whose"),
        (
            {
                "request_parameters": {
                    "slugs": "{{ stream_partition.org | join(',') }}",
                    "n": "{{ stream_slice.org[0] }}",
                }
            },
            "nothing says whose",
        ),
    ],
)
def test_without_a_word_on_whose_a_record_is_each_parent_is_asked_for_alone(requester: Any, why: str) -> None:
    findings = Findings()
    found = read_manifest(json.dumps(manifest("https://api.example.com", **requester)), Path("m.json"), findings)
    platform = import_manifest(found, "shop", findings).platform
    assert platform.resource("projects").endpoint.batch is None
    assert any(why in one.why for one in findings.all() if one.what == "GroupingPartitionRouter")


def test_partitions_of_several_routers_in_one_are_not_carried_and_leave_the_others() -> None:
    given = manifest("https://api.example.com")
    retriever = given["streams"][1]["retriever"]
    named = {"type": "ListPartitionRouter", "cursor_field": "org", "values": ["x"]}
    parents = retriever["partition_router"]["underlying_partition_router"]
    retriever["partition_router"] = {
        "type": "UnionPartitionRouter", "partition_field": "org", "partition_routers": [named, parents],
    }  # fmt: skip
    findings = Findings()
    found = read_manifest(json.dumps(given), Path("m.json"), findings)
    assert [one.name for one in import_manifest(found, "shop", findings).platform.resources] == ["orgs"]
    assert any(one.resource == "projects" and "several routers" in one.why for one in findings.all())


def test_a_group_beside_another_router_is_not_carried() -> None:
    given = manifest("https://api.example.com")
    retriever = given["streams"][1]["retriever"]
    kinds = {"type": "ListPartitionRouter", "cursor_field": "kind", "values": ["x"]}
    retriever["partition_router"] = [retriever["partition_router"], kinds]
    platform, left_out = imported(given)
    assert left_out == {("projects", "the whole resource")}
    assert [one.name for one in platform.resources] == ["orgs"]
