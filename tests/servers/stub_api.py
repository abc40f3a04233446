"""A stub API: a test sets the response of each path, and may change it at any time."""

from collections.abc import Callable
from typing import Any

from tests.servers.http_server import HttpServer, Query, Reply, Request

Route = Callable[[Query], Reply]


def not_found(query: Query) -> Reply:
    return Reply({"error": {"status": 404, "message": "no such path"}}, 404)


class StubApi(HttpServer):
    """Responds by path.

    Attributes:
        routes: the handler of each path, called with the request's parameters without the credential.
        other: the handler of every other path; 404 by default.
    """

    def __init__(self, routes: dict[str, Route] | None = None, *, other: Route = not_found) -> None:
        super().__init__(self._route)
        self.routes = routes or {}
        self.other = other

    def _route(self, request: Request) -> Reply:
        return self.routes.get(request.path, self.other)(request.query)

    def requests_to(self, path: str) -> list[Query]:
        """The parameters of all requests to a path."""
        return [request.query for request in self.requests if request.path == path]


def listed(records: list[dict[str, Any]], selector: str = "data") -> Route:
    """Pages of the records: by `page` and `per_page`, by `after` and `limit`, or all, as the query requests."""

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
        return start_limit_page(query, [{"item": kind, "id": record["id"], "data": record} for record in found])

    return answer


def start_limit_page(query: Query, items: list[Any]) -> Reply:
    """A page of the CRM, which pages by `start` and `limit`."""
    start, limit = int(query.get("start", 0)), min(int(query.get("limit", 100)), 500)
    more = start + limit < len(items)
    pagination = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pagination["next_start"] = start + limit
    page = items[start : start + limit]
    return Reply({"success": True, "data": page or None, "additional_data": {"pagination": pagination}})
