"""A server of a few lines: a test says what each path answers, and may change it at any time."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

Query = dict[str, str]


@dataclass
class Reply:
    """One answer; `body` is sent as it is where it is bytes, else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Query], Reply]


class StubApi:
    """Answers GETs by path; use it as a context manager. `asked` holds (path, query) of every request."""

    def __init__(self, port: int = 0) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[tuple[str, Query]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                query.pop("api_token", None)
                path = unquote(parts.path)
                outer.asked.append((path, query))
                route = outer.routes.get(path)
                reply = route(query) if route else Reply({"error": {"status": 404, "message": "no such path"}}, 404)
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def requests_to(self, path: str) -> list[Query]:
        """The queries of all requests to a path."""
        return [query for asked, query in self.asked if asked == path]


def listed(records: list[dict[str, Any]], selector: str = "data") -> Route:
    """The records, pages by `page` and `per_page` or by `after` and `limit` where the query has them."""

    def answer(query: Query) -> Reply:
        size = int(query.get("per_page") or query.get("page_size") or query.get("limit") or 1000)
        start = (int(query["page"]) - 1) * size if "page" in query else int(query.get("after", 0))
        return Reply({selector: records[start : start + size]})

    return answer


def recents(kind: str, records: list[dict[str, Any]], cursor: str = "update_time") -> Route:
    """The CRM's feed of recent changes of one kind, oldest first, from `since_timestamp` on."""

    def answer(query: Query) -> Reply:
        if query.get("items") != kind:
            found = []
        else:
            found = [r for r in records if r[cursor] is None or r[cursor] >= query["since_timestamp"]]
        found = sorted(found, key=lambda record: record[cursor] or "")
        return started(query, [{"item": kind, "id": record["id"], "data": record} for record in found])

    return answer


def started(query: Query, items: list[Any]) -> Reply:
    """A page of the CRM by `start` and `limit`."""
    start, limit = int(query.get("start", 0)), min(int(query.get("limit", 100)), 500)
    more = start + limit < len(items)
    pagination = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    page = items[start : start + limit]
    return Reply({"success": True, "data": page or None, "additional_data": {"pagination": pagination}})
