"""The sandbox as a starlette application: authentication, faults, routes, and pages of its own under `/_sandbox`.

The reference contract is at `/<platform>/...`, the vendors' contracts are at `/vendor/<name>/...`.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
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
from platform_assets.sandbox.vendors import VENDOR_PLATFORMS, VendorOptions, vendor_apis
from platform_assets.sandbox.vendors.exchange import Reply, VendorRequest

Clock = Callable[[], datetime]

_KEPT_REQUESTS = 200_000
# Query parameters that may hold a credential, whether the API takes it there or not.
_CREDENTIALS = ("api_token", "api_key", "access_token", "client_secret")


class Sandbox:
    """Serves a backend.

    Attributes:
        requests: the log of requests, without credentials.
        faults: may be changed at any time.
        vendors: switches of the vendors' APIs; may be changed at any time.
        clock: says what time it is before each request; the backend catches up with it. None if its time stands still.
    """

    def __init__(
        self,
        backend: FakeBackend,
        faults: list[Fault],
        latency: float,
        vendors: VendorOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.backend = backend
        self.clock = clock
        self.faults = faults
        self.latency = latency
        self.vendors = vendors or VendorOptions()
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self._apis = vendor_apis(backend, self.vendors)
        self._active: Counter[str] = Counter()
        self.app = Starlette(
            routes=[
                Route("/_sandbox/{page}", self.own_page, methods=["GET", "POST"]),
                Route("/vendor/{name}/{path:path}", self.serve_vendor, methods=["GET", "POST"]),
                Route("/{path:path}", self.serve, methods=["GET"]),
            ]
        )

    async def serve(self, request: HttpRequest) -> Response:
        """Respond to one request to a platform by the reference contract."""
        self._catch_up()
        if self.latency:
            await asyncio.sleep(self.latency)
        path = request.scope["raw_path"].split(b"?")[0].decode("ascii")
        query = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        token = query.pop("api_token", None)
        _, platform, rest = (*path.split("/", 2), "", "")[:3]
        target = f"{path}?{urlencode(query)}" if query else path
        response = self._answer(request, platform, f"/{rest}", query, token, target)
        self._log(platform, "reference", path, query, response.status_code)
        return response

    async def serve_vendor(self, request: HttpRequest) -> Response:
        """Respond to one request to a vendor."""
        self._catch_up()
        name = request.path_params["name"]
        path = request.scope["raw_path"].split(b"?")[0].decode("ascii")
        self._active[path] += 1
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            query = tuple(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
            content = await request.body()
            logged = tuple(part for part in query if part[0] not in _CREDENTIALS)
            base = f"{request.url.scheme}://{request.headers.get('host', '')}/vendor/{name}"
            asked = VendorRequest(
                request.method,
                path.removeprefix(f"/vendor/{name}"),
                query,
                request.headers,
                content,
                base,
                self._active[path],
            )
            target = f"{path}?{urlencode(logged)}" if logged else path
            reply = self._vendor_reply(name, asked, target)
        finally:
            self._active[path] -= 1
        self._log(VENDOR_PLATFORMS.get(name, ""), name, path, _by_name(logged), reply.status)
        return Response(reply.content, reply.status, reply.headers, media_type=reply.media_type)

    def _catch_up(self) -> None:
        if self.clock is not None:
            self.backend.catch_up(self.clock())

    def _vendor_reply(self, name: str, asked: VendorRequest, target: str) -> Reply:
        api = self._apis.get(name)
        if api is None:
            return Reply(_error(404, "no such vendor"), 404)
        for fault in list(self.faults):
            if fault.strikes(target):
                body = fault.body if fault.body is not None else api.error(fault.status, "a fault, as asked for")
                return Reply(body, fault.status, dict(fault.headers))
        return api.reply(asked)

    def _log(self, platform: str, contract: str, path: str, query: dict[str, Any], status: int) -> None:
        self.requests.append(
            {
                "time": time.time(),
                "platform": platform,
                "contract": contract,
                "path": path,
                "query": query,
                "status": status,
            }
        )

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
        self._catch_up()
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


def _by_name(query: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Values by name; a list where a name occurs more than once."""
    found: dict[str, list[str]] = {}
    for name, value in query:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _error(status: int, message: str) -> bytes:
    return orjson.dumps({"error": {"status": status, "message": message}})


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")
