"""Configurations that dlt runs: our tables have the rows that dlt's own `rest_api_source` loads from the same server.

dlt is the oracle: it is given the configuration as Python has it, we are given its text. Both load twice, and between
the two loads the server's records change.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.sources.rest_api import rest_api_source

from platform_assets.configuration.platform_settings import Settings
from platform_assets.http.client import ApiClient
from platform_assets.importing.dlt_config import Imported, import_document
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.databases import fetch
from tests.importing.dlt_documents import parse_document
from tests.servers.http_server import HttpServer, Reply, Request
from tests.tiers import only

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
ISSUES = 57


class Api(HttpServer):
    """Issues with comments, posts with users, and lists that are paged in every way."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.issues = [
            {
                "id": 1000 + number,
                "number": number,
                "title": f"Issue {number}",
                "state": "open",
                "user": {"login": f"u{number % 5}", "id": number % 5},
                "labels": [{"name": "bug"}] * (number % 3),
                "comments": number % 4,
                "updated_at": f"2024-02-{1 + number % 28:02}T10:00:{number % 60:02}Z",
            }
            for number in range(1, ISSUES + 1)
        ]

    def change(self) -> None:
        """Issues are edited and opened."""
        self.issues[3] |= {"title": "Edited", "updated_at": "2024-03-02T00:00:00Z"}
        self.issues.append(self.issues[0] | {"id": 2000, "number": 99, "updated_at": "2024-03-03T00:00:00Z"})

    def _serve(self, request: Request) -> Reply:
        if request.path == "/v1/search":
            asked = json.loads(request.content)
            start, size = asked.get("page", {}).get("start", 0), asked.get("page", {}).get("size", 10)
            found = [one for one in self.issues if one["number"] % 2 == asked["filter"]["odd"]]
            return Reply({"hits": found[start : start + size]})
        path, query = request.path.removeprefix("/v1"), request.query
        rows = sorted(self.issues, key=lambda one: one["id"])
        since = query.get("since")
        if since and since != "None":
            rows = [one for one in rows if one["updated_at"] >= since]
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            number = int(found[1])
            return Reply([{"id": number * 100 + place, "body": f"{place}"} for place in range(number % 4)])
        if found := re.fullmatch(r"/issues/(\d+)", path):
            return Reply(next(one for one in self.issues if one["number"] == int(found[1])))
        if found := re.fullmatch(r"/users/(\w+)", path):
            return Reply({"id": int(found[1][1:]), "login": found[1], "name": f"User {found[1]}"})
        if path == "/forbidden":
            return Reply({"message": "Not found"}, status=404)
        return _LISTS[path](rows, query, self.url + "/v1" + path)


def _numbered(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
    return Reply(rows[(page - 1) * size : page * size])


def _from_zero(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    size, page = int(query.get("per_page", 10)), int(query.get("page", 0))
    return Reply({"data": rows[page * size : (page + 1) * size], "total": -(-len(rows) // size)})


def _skipping(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    start, size = int(query.get("offset", 0)), int(query.get("limit", 10))
    return Reply({"results": rows[start : start + size], "total": len(rows)})


def _cursor(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    start = int(query.get("after", "c0")[1:])
    more = {"next_cursor": f"c{start + 10}"} if start + 10 < len(rows) else {}
    return Reply({"items": rows[start : start + 10], "meta": more})


def _linked(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    start, size = int(query.get("offset", 0)), int(query.get("limit", 10))
    following = f"{url}?offset={start + size}&limit={size}" if start + size < len(rows) else None
    return Reply({"count": len(rows), "next": following, "results": rows[start : start + size]})


def _header(rows: list[Any], query: dict[str, str], url: str) -> Reply:
    page, size = int(query.get("page", 1)), int(query.get("per_page", 10))
    headers = {"Link": f'<{url}?page={page + 1}&per_page={size}>; rel="next"'} if page * size < len(rows) else {}
    return Reply(rows[(page - 1) * size : page * size], headers=headers)


_LISTS: dict[str, Callable[[list[Any], dict[str, str], str], Reply]] = {
    "/issues": _numbered,
    "/zero": _from_zero,
    "/skipping": _skipping,
    "/cursor": _cursor,
    "/linked": _linked,
    "/header": _header,
    "/grouped": lambda rows, query, url: Reply({"groups": [{"rows": rows[:20]}, {"rows": rows[20:]}]}),
    "/posts": lambda rows, query, url: Reply(rows),
}

# By name: the configuration as dlt's documentation writes it. BASE is where the server is.
CONFIGURATIONS = {
    "issues and their comments": """
        config: RESTAPIConfig = {
            "client": {"base_url": "BASE/v1/"},
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {"params": {"per_page": 20}},
            },
            "resources": [
                {
                    "name": "issues",
                    "endpoint": {
                        "path": "issues",
                        "paginator": {"type": "page_number", "base_page": 1, "total_path": None},
                        "params": {
                            "sort": "updated",
                            "direction": "desc",
                            "state": "open",
                            "since": "{incremental.start_value}",
                        },
                        "incremental": {"cursor_path": "updated_at", "initial_value": "2024-01-25T11:21:28Z"},
                    },
                },
                {
                    "name": "issue_comments",
                    "endpoint": {"path": "issues/{resources.issues.number}/comments", "paginator": "single_page"},
                    "include_from_parent": ["number"],
                },
            ],
        }
    """,
    "posts, and a user by name": """
        rest_api_source({
            "client": {"base_url": "BASE/v1", "headers": {"X-Version": "3"}, "paginator": {"type": "single_page"}},
            "resources": [
                {"name": "posts", "primary_key": "id", "write_disposition": "replace", "endpoint": SELECTED},
                {
                    "name": "userDetails",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "users/{login}",
                        "params": {"login": {"type": "resolve", "resource": "posts", "field": "user.login"}},
                    },
                },
            ],
        })
    """,
    "every way of counting": """
        source = rest_api_source({
            "client": {"base_url": "BASE/v1"},
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                {
                    "name": "by_page",
                    "endpoint": {
                        "path": "/zero",
                        "data_selector": "data",
                        "paginator": {"type": "page_number"},
                        "params": {"per_page": 10},
                    },
                },
                {
                    "name": "by_offset",
                    "endpoint": {
                        "path": "/skipping",
                        "data_selector": "results",
                        "paginator": OffsetPaginator(limit=25),
                    },
                },
                {
                    "name": "by_cursor",
                    "endpoint": {
                        "path": "/cursor",
                        "data_selector": "items",
                        "paginator": JSONResponseCursorPaginator(
                            cursor_path="meta.next_cursor", cursor_param="after"
                        ),
                    },
                },
                {
                    "name": "in_groups",
                    "endpoint": {"path": "/grouped", "data_selector": "groups[*].rows[*]", "paginator": "single_page"},
                },
            ],
        })
    """,
    "next links": """
        pokemon_source = rest_api_source({
            "client": {"base_url": "BASE/v1/", "paginator": "json_link"},
            "resource_defaults": {"primary_key": "id", "endpoint": {"params": {"limit": 15}}},
            "resources": [
                {"name": "linked", "write_disposition": "merge", "endpoint": {"data_selector": "results"}},
                {
                    "name": "header",
                    "write_disposition": "merge",
                    "endpoint": {
                        "data_selector": "$",
                        "params": {"per_page": 30},
                        "paginator": {"type": "header_link"},
                    },
                },
            ],
        })
    """,
    "a search by POST": """
        rest_api_source({
            "client": {"base_url": "BASE/v1"},
            "resources": [
                {
                    "name": "search",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "method": "POST",
                        "json": {"filter": {"odd": 1}, "page": {"size": 7}},
                        "data_selector": "hits",
                        "paginator": {
                            "type": "offset",
                            "limit": 7,
                            "offset_body_path": "page.start",
                            "limit_body_path": "page.size",
                            "total_path": None,
                        },
                    },
                },
            ],
        })
    """,
    "answers that are ignored": """
        rest_api_source({
            "client": {"base_url": "BASE/v1", "paginator": "single_page"},
            "resources": [
                {"name": "posts", "primary_key": "id", "write_disposition": "merge", "endpoint": SELECTED},
                {
                    "name": "forbidden",
                    "primary_key": "id",
                    "endpoint": {
                        "data_selector": "$",
                        "response_actions": [{"status_code": 404, "action": "ignore"}],
                    },
                },
            ],
        })
    """,
}


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        yield server


@pytest.mark.parametrize("name", only(["issues and their comments"], CONFIGURATIONS, slow=[*CONFIGURATIONS][1:]))
def test_the_rows_are_those_that_dlt_loads(
    name: str, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CONFIGURATIONS[name].replace("BASE", api.url).replace("SELECTED", '{"data_selector": "$"}')
    imported = import_document(parse_document(source, "source.py"), "theirs")
    for round_ in range(2):
        if round_:
            api.change()
        _load_with_dlt(source, tmp_path)
        _load(imported, api, tmp_path, monkeypatch)
        for resource in imported.platform.resources:
            theirs = _rows(tmp_path / "dlt.duckdb", resource.name)
            assert _rows(tmp_path / "ours.duckdb", resource.name) == theirs, resource.name
            assert theirs or resource.name == "forbidden"
    not_carried = [one.what for one in imported.findings if one.severity == "not carried"]
    assert not_carried == []


def _load_with_dlt(source: str, folder: Path) -> None:
    from dlt.sources.helpers.rest_client import paginators

    expression = source[source.index("{") :].strip().removesuffix(")")
    config = eval(expression, {**vars(paginators)})
    pipeline = dlt.pipeline(
        "theirs",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="theirs",
    )
    loaded = rest_api_source(config, name="theirs")
    loaded.max_table_nesting = 0
    pipeline.run(loaded).raise_on_failed_jobs()


def _load(imported: Imported, api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(folder / "ours.duckdb"))
    platform = imported.platform
    assert isinstance(imported.base_url, str)
    settings = Settings(base_url=imported.base_url, token="", backoff_factor=0.0)
    for children in (False, True):
        names = tuple(one.name for one in platform.resources if (one.parent is not None) is children)
        if names:
            with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                outcomes = sync(client, warehouse, Selection(names))
            assert not {one.name: one.error for one in outcomes if one.error}


def _rows(file: Path, table: str) -> list[str]:
    """Rows of a table as JSON, sorted; without null, and without columns of either loader's own."""
    _, tables = fetch(file, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'theirs'")
    if (table,) not in [tuple(one) for one in tables]:
        return []
    names, rows = fetch(file, f"SELECT * FROM theirs.{table}")
    if "_deleted_at" in names:
        rows = [row for row in rows if row[names.index("_deleted_at")] is None]
    return sorted(
        json.dumps(
            {name: _plain(value) for name, value in zip(names, row, strict=True) if _is_theirs(name, value)},
            sort_keys=True,
        )
        for row in rows
    )


def _is_theirs(name: str, value: Any) -> bool:
    return (not name.startswith("_") or name == "_issues_number") and value is not None


def _plain(value: Any) -> Any:
    """A value as both loaders mean it: dlt types columns of times, we keep an undeclared one as its text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value).isoformat()
    if isinstance(value, str) and value[:1] in ("[", "{"):
        return json.loads(value)
    return str(value) if type(value) is int else value
