"""An API that a specification describes, served from plain Python by the words of the specification's author."""

from typing import Any

from tests.servers.http_server import Reply, Request

TOKEN = "t0ken"

CUSTOMERS = [
    {"id": f"c{n}", "email": f"c{n}@example.com", "created_at": f"2026-01-{n:02d}T00:00:00Z", "vip": n % 2 == 0}
    for n in range(1, 6)
]
ORDERS = [
    {"id": n, "total": n * 1.5, "updated_at": f"2026-01-{n:02d}T08:00:00Z", "items": {"count": n}} for n in range(1, 24)
]
TAGS = [{"slug": slug, "color": color} for slug, color in (("new", "red"), ("old", "blue"), ("gone", None))]
LOGS = [{"message": message, "level": "info"} for message in ("opened", "closed")]


def lines_of(order: int) -> list[dict[str, Any]]:
    return [{"id": order * 10 + n, "sku": f"sku-{n}", "quantity": n} for n in range(1, order % 3 + 1)]


def answer(request: Request) -> Reply:
    """Pages by number (orders), by cursor (customers), by offset (lines) or not at all (tags, logs)."""
    if request.headers["X-Api-Key"] != TOKEN:
        return Reply({"error": "who are you?"}, 401)
    query = request.query
    match request.path.removeprefix("/v1").strip("/").split("/"):
        case ["orders"]:
            since = query.get("updated_since", "")
            rows = [order for order in ORDERS if str(order["updated_at"]) >= since]
            size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
            return Reply({"orders": rows[(page - 1) * size : page * size], "meta": {"total": len(rows)}})
        case ["customers"]:
            start = int(query.get("cursor", "0") or 0)
            size = int(query.get("limit", 2))
            following = str(start + size) if start + size < len(CUSTOMERS) else None
            return Reply({"data": CUSTOMERS[start : start + size], "paging": {"next_cursor": following}})
        case ["orders", order, "lines"]:
            start, size = int(query.get("offset", 0)), int(query.get("limit", 1))
            return Reply(lines_of(int(order))[start : start + size])
        case ["tags"]:
            return Reply(TAGS)
        case ["logs"]:
            return Reply(LOGS)
        case _:
            return Reply({"error": "no such path"}, 404)


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def _get(schema: dict[str, Any], *parameters: dict[str, Any], summary: str = "") -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {
        "get": {
            "summary": summary,
            "parameters": list(parameters),
            "responses": {"200": {"description": "ok", "content": content}},
        }
    }


def _query(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}


def specification(url: str) -> dict[str, Any]:
    """OpenAPI 3 for `answer`, with some paths that cannot be read."""
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    order = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "integer", "description": "Number."},
            "total": {"type": "number"},
            "items": {"type": "object"},
        },
    }
    dated = {"type": "object", "properties": {"updated_at": moment}}
    customer = {"id": text, "email": text, "created_at": moment, "vip": {"type": ["boolean", "null"]}}
    size = _query("limit", type="integer", maximum=2)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop API", "version": "1"},
        "servers": [{"url": "{scheme}/v1", "variables": {"scheme": {"default": url}}}],
        "security": [{"key": []}],
        "paths": {
            "/me": _get({"type": "object", "properties": {"id": text}}),
            "/orders": _get(
                {"type": "object", "properties": {"orders": _list_of("Order"), "meta": {"type": "object"}}},
                {"$ref": "#/components/parameters/Page"},
                _query("per_page", type="integer", default=10),
                _query("updated_since", **moment),
                summary="All orders.\nChanged ones too.",
            ),
            "/orders/{order_id}": _get({"$ref": "#/components/schemas/Order"}, _path("order_id")),
            "/orders/{order_id}/lines": _get(
                _list_of("Line"), _path("order_id"), _query("offset", type="integer"), size
            ),
            "/customers": _get(
                {
                    "type": "object",
                    "properties": {
                        "data": _list_of("Customer"),
                        "paging": {"type": "object", "properties": {"next_cursor": {"type": "string"}}},
                    },
                },
                _query("cursor", type="string"),
                size,
            ),
            "/tags": _get(_list_of("Tag")),
            "/logs": _get(_list_of("Log")),
            "/search": _get(_list_of("Tag"), {**_query("q", type="string"), "required": True}),
            "/elsewhere": _get({"$ref": "other.json#/Order"}),
            "/teams/{team}/members": _get(_list_of("Order"), _path("team")),
            "/circle": _get({"$ref": "#/components/schemas/Circle"}),
        },
        "components": {
            "parameters": {"Page": _query("page", type="integer", minimum=1)},
            "securitySchemes": {
                "other": {"type": "http", "scheme": "basic"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
            "schemas": {
                "Order": {"allOf": [order, dated]},
                "Line": {
                    "properties": {
                        "id": {"type": "integer"},
                        "sku": text,
                        "quantity": {"type": "integer", "description": "Pieces.\nAlways whole."},
                    },
                },
                "Customer": {"type": "object", "properties": customer},
                "Tag": {"type": "object", "required": ["slug"], "properties": {"slug": text, "color": text}},
                "Log": {"type": "object", "properties": {"message": text, "level": text}},
                "Circle": {"$ref": "#/components/schemas/Circle"},
            },
        },
    }
