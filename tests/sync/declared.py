"""Platforms that a test declares for itself, synced over real HTTP from a stub API into the warehouse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import BearerAuth, Client, Endpoint, ErrorHandler, Platform, Resource, SinglePage
from platform_assets.declarations import validate as valid
from platform_assets.http.client import ApiClient
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.databases import fetch
from tests.servers.http_server import HttpServer

CLIENT = Client(auth=BearerAuth(), probe="/things", paginator=SinglePage(), error_handler=ErrorHandler(max_retries=0))


def things(**endpoint: Any) -> Resource:
    """A resource `things` at `/things`, with columns `id` and `at`."""
    columns = {"id": "bigint", "at": "timestamp"}
    return Resource(
        name="things", description="Things.", endpoint=Endpoint(path="/things", **endpoint), columns=columns
    )


def declared(*resources: Resource, **client: Any) -> Platform:
    """A platform `shop` of these resources; one request per list, records at `data`."""
    platform = Platform(
        name="shop", title="Shop", description="", client=replace(CLIENT, **client), resources=resources
    )
    return valid([platform])[0]


def synced(
    server: HttpServer, platform: Platform, *names: str, settings: dict[str, Any] | None = None, **selection: Any
) -> dict[str, ResourceOutcome]:
    """Sync some resources, all by default; outcomes by name."""
    given = Settings(**{"base_url": server.url, "token": "t0ken", "backoff_factor": 0.0, **(settings or {})})
    chosen = names or tuple(resource.name for resource in platform.resources)
    with open_warehouse(platform) as warehouse, ApiClient(platform, given) as client:
        found = sync(client, warehouse, Selection(chosen, **selection))
    return {outcome.name: outcome for outcome in found}


def rows(file: Path, table: str = "things", *, removed: bool = False) -> list[dict[str, Any]]:
    """Rows of a table that are not soft-deleted (or only those that are), without null and internal columns."""
    names, values = fetch(file, f"SELECT * FROM shop.{table}")
    hidden = ("_dlt_id", "_dlt_load_id", "_loaded_at", "_row_hash", "_deleted_at")
    every = [dict(zip(names, row, strict=True)) for row in values]
    found = [row for row in every if (row.get("_deleted_at") is not None) is removed]
    kept = [{name: value for name, value in row.items() if value is not None and name not in hidden} for row in found]
    return sorted(kept, key=lambda row: str(row.get("id")))
