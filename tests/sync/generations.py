"""A server with three generations of records over real HTTP, and the platform that reads them."""

from collections.abc import Mapping
from typing import Any

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    Buckets,
    Client,
    DynamicPartitions,
    Endpoint,
    ErrorHandler,
    Incremental,
    Platform,
    Resolve,
    Resource,
    Scope,
    SinglePage,
    validate,
)
from platform_assets.http.client import ApiClient
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.servers.http_server import HttpServer, Reply, Request

ORG = Resolve("orgs", "slug")


def resource(name: str, path: str, columns: dict[str, str] | None = None, **more: Any) -> Resource:
    endpoint = Endpoint(path=path, **more.pop("endpoint", {}))
    given = {"id": "bigint", "name": "text", "at": "timestamp", **(columns or {})}
    return Resource(name=name, description="", endpoint=endpoint, columns=given, **more)


def tree(organization: Resolve = ORG) -> tuple[Resource, ...]:
    """Organizations, their projects, the projects' issues; `organization` fills the issues' path."""
    since = Incremental(cursor_path="at", start_param="since")
    return (
        resource("orgs", "/orgs", {"slug": "text"}),
        resource(
            "projects",
            "/orgs/{org}/projects",
            endpoint={"params": {"org": ORG}},
            partition=DynamicPartitions(name="shop_org"),
        ),
        resource(
            "issues",
            "/orgs/{org}/projects/{project}/issues",
            endpoint={"params": {"org": organization, "project": Resolve("projects", "id")}, "incremental": since},
            partition=Buckets(count=4),
        ),
    )


def declared(*resources: Resource, scopes: tuple[Scope, ...] = ()) -> Platform:
    platform = Platform(
        name="shop",
        title="Shop",
        description="",
        client=Client(
            auth=BearerAuth(),
            probe="/orgs",
            paginator=SinglePage(),
            data_selector="",
            error_handler=ErrorHandler(max_retries=0),
        ),
        resources=resources,
        scopes=scopes,
    )
    (checked,) = validate([platform])
    return checked


class Api(HttpServer):
    """Serves `lists` (path -> records, or a status); a record is left out if it is older than `since`."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.lists: dict[str, list[dict[str, Any]] | int] = {}

    def _serve(self, request: Request) -> Reply:
        found = self.lists.get(request.path, 404)
        if isinstance(found, int):
            return Reply({}, found)
        return Reply([row for row in found if row.get("at", "9") >= request.query.get("since", "")])

    def sync(self, platform: Platform, *names: str, scopes: Mapping[str, tuple[str, ...]] | None = None, **more: Any):
        """Sync some resources, one after the other; outcomes by name, and what was asked for."""
        asked, outcomes = len(self.requests), dict[str, ResourceOutcome]()
        settings = Settings(base_url=self.url, token="t0ken", backoff_factor=0.0, scopes=scopes or {})
        for name in names or [resource.name for resource in platform.resources]:
            with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                (outcome,) = sync(client, warehouse, Selection((name,), **more))
                outcomes[name] = outcome
        return outcomes, [request.target for request in self.requests[asked:]]


def row(id: int, day: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": f"n{id}", "at": f"2026-01-{day:02d}T00:00:00Z", **more}


def grow(api: Api) -> None:
    """Two organizations with projects 11, 12 and 21, which have an issue each with ten times their number."""
    api.lists = {
        "/orgs": [row(1, slug="acme"), row(2, slug="globex/eu")],
        "/orgs/acme/projects": [row(11), row(12)],
        "/orgs/globex/eu/projects": [row(21)],
        "/orgs/acme/projects/11/issues": [row(110, 3)],
        "/orgs/acme/projects/12/issues": [row(120, 4)],
        "/orgs/globex/eu/projects/21/issues": [row(210, 5)],
    }
