"""The sandbox as a starlette application: authentication, faults, routes, and pages of its own under `/_sandbox`."""

import asyncio
import time
from collections import deque
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from platform_assets.sandbox.backend import FakeBackend, expected_rows
from platform_assets.sandbox.contract import PATTERNS, Refused, Request
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.tokens import sandbox_token

_KEPT_REQUESTS = 200_000


class Sandbox:
    """Serves a backend. `requests` is the log of requests, without credentials; `faults` may be changed at any time."""

    def __init__(self, backend: FakeBackend, faults: list[Fault], latency: float) -> None:
        self.backend = backend
        self.faults = faults
        self.latency = latency
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self.app = Starlette(
            routes=[
                Route("/_sandbox/{page}", self.own_page, methods=["GET", "POST"]),
                Route("/{path:path}", self.serve, methods=["GET"]),
            ]
        )

    async def serve(self, request: HttpRequest) -> Response:
        """Respond to one request to a platform."""
        if self.latency:
            await asyncio.sleep(self.latency)
        path = request.scope["raw_path"].split(b"?")[0].decode("ascii")
        query = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        token = query.pop("api_token", None)
        _, platform, rest = (*path.split("/", 2), "", "")[:3]
        target = f"{path}?{urlencode(query)}" if query else path
        response = self._answer(request, platform, f"/{rest}", query, token, target)
        self.requests.append(
            {"time": time.time(), "platform": platform, "path": path, "query": query, "status": response.status_code}
        )
        return response

    def _answer(
        self, request: HttpRequest, platform: str, path: str, query: dict[str, str], token: str | None, target: str
    ) -> Response:
        for fault in list(self.faults):
            if fault.strikes(target):
                body = fault.body if fault.body is not None else _error(fault.status, "a fault, as asked for")
                return _json(body, fault.status, fault.headers)
        if platform not in PATTERNS:
            return _json(_error(404, "no such platform"), 404)
        given = token if platform == "crm" else request.headers.get("Authorization", "").removeprefix("Bearer ")
        if given != sandbox_token(platform):
            return _json(_error(401, "missing or invalid credential"), 401)
        for pattern, answer in PATTERNS[platform]:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            contract_request = Request(self.backend, tuple(unquote(value) for value in match.groups()), query)
            try:
                with self.backend.lock:
                    return _json(orjson.dumps(answer(contract_request)), 200, contract_request.headers)
            except Refused as refusal:
                return _json(_error(refusal.status, str(refusal)), refusal.status)
        return _json(_error(404, "no such path"), 404)

    async def own_page(self, request: HttpRequest) -> Response:
        """`health`, `truth` (`?rows=1` with records), `requests`, and `advance` (POST `{"hours": n}`)."""
        page = request.path_params["page"]
        if page == "health":
            return _json(orjson.dumps({"ok": True, "now": self.backend.now}))
        if page == "requests":
            return _json(orjson.dumps(list(self.requests)))
        if page == "truth":
            found = expected_rows(self.backend)
            if request.query_params.get("rows"):
                return _json(orjson.dumps(found))
            counts = {name: {table: len(rows) for table, rows in tables.items()} for name, tables in found.items()}
            return _json(orjson.dumps(counts))
        if page == "advance" and request.method == "POST":
            body = orjson.loads(await request.body() or b"{}")
            self.backend.advance(hours=float(body.get("hours", 0)), days=float(body.get("days", 0)))
            return _json(orjson.dumps({"now": self.backend.now}))
        return _json(_error(404, "no such page"), 404)


def _error(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"status": status, "message": message}})


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
