"""A small API over real HTTP that responds with exactly the bytes that a test sets, and a platform declared for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    Client,
    DynamicPartitions,
    Endpoint,
    ErrorHandler,
    Platform,
    Resolve,
    Resource,
    SinglePage,
)
from platform_assets.http.client import ApiClient
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.databases import fetch
from tests.servers.http_server import HttpServer, Reply, Request

THINGS = Resource(
    name="things",
    description="Things.",
    endpoint=Endpoint(path="/things"),
    columns={
        "id": "bigint",
        "number": "bigint",
        "price": "double",
        "open": "bool",
        "title": "text",
        "at": "timestamp",
        "day": "date",
        "tags": "json",
    },
)
WORDS = Resource(
    name="words", description="Words.", endpoint=Endpoint(path="/words"), columns={"id": "text", "title": "text"}
)
PAIRS = Resource(
    name="pairs",
    description="Pairs.",
    endpoint=Endpoint(path="/pairs"),
    columns={"left": "bigint", "right": "text"},
    primary_key=("left", "right"),
)
PARTS = Resource(
    name="parts",
    description="Parts of words, of which two words may have the same.",
    endpoint=Endpoint(path="/words/{word}/parts", params={"word": Resolve(resource="words", field="id")}),
    columns={"id": "bigint", "title": "text"},
    partition=DynamicPartitions(name="shop_word"),
)
SHOP = Platform(
    name="shop",
    title="Shop",
    description="",
    client=Client(
        auth=BearerAuth(),
        probe="/things",
        paginator=SinglePage(),
        data_selector="",
        error_handler=ErrorHandler(max_retries=0),
    ),
    resources=(THINGS, WORDS, PAIRS, PARTS),
)


class Shop(HttpServer):
    """Serves `answers` (path -> body); `before` is called with a path before the response is sent."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.answers: dict[str, bytes] = {}
        self.before: Callable[[str], None] = lambda path: None

    def _serve(self, request: Request) -> Reply:
        path = request.target.partition("?")[0]
        self.before(path)
        return Reply(self.answers.get(path, b"[]"), headers={"Content-Type": "application/json"})

    def sync(self, *names: str, **selection: Any) -> dict[str, ResourceOutcome]:
        """Sync some resources of the shop; outcomes by name."""
        settings = Settings(base_url=self.url, token="t0ken", backoff_factor=0.0)
        with open_warehouse(SHOP) as warehouse, ApiClient(SHOP, settings) as client:
            found = sync(client, warehouse, Selection(names, **selection))
        return {outcome.name: outcome for outcome in found}


def rows(file: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a table of the shop that are not soft-deleted, by key; without null and internal columns."""
    names, values = fetch(file, f"SELECT * FROM shop.{table} WHERE _deleted_at IS NULL")
    found = [dict(zip(names, row, strict=True)) for row in values]
    hidden = ("_dlt_id", "_dlt_load_id", "_loaded_at")
    kept = [{k: v for k, v in row.items() if v is not None and k not in hidden} for row in found]
    return sorted(kept, key=lambda row: row.get("id", 0))
