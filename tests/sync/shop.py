"""A small API over real HTTP that answers exactly the bytes a test gives it, and a platform declared for it."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import duckdb

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


class Shop:
    """Serves `answers` (path -> body) on a free port; `before` is called with a path before it is answered."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.before: Callable[[str], None] = lambda path: None
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                shop.before(path)
                body = shop.answers.get(path, b"[]")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sync(self, *names: str, **selection: Any) -> dict[str, ResourceOutcome]:
        """Sync some resources of the shop; outcomes by name."""
        settings = Settings(base_url=f"http://127.0.0.1:{self._server.server_port}", token="t0ken", backoff_factor=0.0)
        with open_warehouse(SHOP) as warehouse, ApiClient(SHOP, settings) as client:
            found = sync(client, warehouse, Selection(names, **selection))
        return {outcome.name: outcome for outcome in found}


def rows(file: Path, table: str) -> list[dict[str, Any]]:
    """Rows of a table of the shop that are not marked as removed, by key; without columns that are null or ours."""
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"SELECT * FROM shop.{table} WHERE _deleted_at IS NULL")
        names = [column[0] for column in cursor.description or ()]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    hidden = ("_dlt_id", "_dlt_load_id", "_loaded_at")
    kept = [{k: v for k, v in row.items() if v is not None and k not in hidden} for row in found]
    return sorted(kept, key=lambda row: row.get("id", 0))
