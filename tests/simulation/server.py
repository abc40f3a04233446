"""The store over HTTP as in api-contracts.md, Part A, with the faults and changes of a history."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.simulation.contract import Resource
from tests.simulation.faults import FAULTS, Answer, ParsedRequest, Rule
from tests.simulation.store import Store, Version

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# After this many requests for one resource in one sync, the sync counts as endless and gets a 404.
ENDLESS = 1000


class Spelling:
    """How a resource's keys are written in responses: unchanged, or in another spelling of the same keys."""

    KINDS = ("float", "text", "zeros", "mixed", "twice")
    # Kinds that add a record with an invalid key.
    INVALID: ClassVar[dict[str, Any]] = {"word": "abc", "huge": 2**63, "truth": True, "blank": ""}

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._answers = 0

    def __call__(self, records: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
        if not records or not isinstance(records[0].get(key), int):
            return records
        self._answers += 1
        if self.kind in self.INVALID:
            return [{**records[0], key: self.INVALID[self.kind]}, *records]
        looks = (float, str, int) if self.kind == "mixed" else (self._look(),)
        found = [{**r, key: looks[(n + self._answers) % len(looks)](r[key])} for n, r in enumerate(records)]
        return [*records, found[0]] if self.kind == "twice" else found

    def _look(self) -> Callable[[int], Any]:
        return {"float": float, "text": str, "zeros": lambda n: f"0{n}", "twice": str}[self.kind]


class Server:
    """One account's API on its own port, which stays the same for the whole history.

    Attributes:
        page: records a page if the request does not specify it (usually not what the client requests).
        rules: the active faults.
        before: called with each request, before the response and outside the store's lock; may change the store,
            kill the client or wait.
        request_counts: requests by client (token). endless: resources that were requested endlessly.
    """

    def __init__(self, store: Store, page: int = 30) -> None:
        self.store = store
        self.page = page
        self.rules: list[Rule] = []
        self.before: list[Callable[[ParsedRequest], None]] = []
        self.spelling: dict[str, Spelling] = {}
        self.reordered: set[str] = set()
        self.request_counts: Counter[str] = Counter()
        self.last_request = 0.0
        self.endless: set[str] = set()
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._routes = [
            (re.compile(re.escape(found.path).replace(r"\{\}", "([^/]+)")), found) for found in store.resources.values()
        ]
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def new_sync(self) -> None:
        """Reset the counts."""
        self._numbers.clear()
        self.request_counts.clear()
        self.endless.clear()

    # One request

    def answer(self, target: str, token: str) -> Answer:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        token = token or query.get("api_token", "")
        if not token:
            return _refusal(401, "no credential")
        found = self._route(parts.path, query)
        if found is None:
            return _refusal(404, "no such path")
        resource, values = found
        self.request_counts[token] += 1
        self._numbers[token, resource.name] += 1
        number = self._numbers[token, resource.name]
        if number > ENDLESS:
            self.endless.add(resource.name)
            return _refusal(404, "requested endlessly")
        request = ParsedRequest(
            resource.name,
            self._identity(resource, values),
            self._page_of(resource, query),
            number,
            token,
            resource.selector,
            resource.paging,
            resource.key,
        )
        for act in list(self.before):
            act(request)
        self.last_request = time.monotonic()
        with self.store.lock:
            return self._answer(resource, values, query, request)

    def _answer(
        self, resource: Resource, values: tuple[str, ...], query: dict[str, str], request: ParsedRequest
    ) -> Answer:
        rule = next((rule for rule in self.rules if rule.applies(request)), None)
        try:
            answer, last = self._correct(resource, self._identity(resource, values), query, request, rule)
        except _Refused as refused:
            return _refusal(refused.status, str(refused))
        if rule is not None and rule.fault in FAULTS:
            request = ParsedRequest(**{**vars(request), "last": last})
            made = FAULTS[rule.fault](answer, request)
            if made is not None:
                rule.count(request)
                if made.status == 302:
                    made.headers["Location"] = self._path(resource, values)
                    # The second request of a redirect has to get through, or it would be requested endlessly.
                    return made if query.keys() - {"api_token"} else answer
                return made
        return answer

    def _path(self, resource: Resource, values: tuple[str, ...]) -> str:
        path = resource.path
        for value in values:
            path = path.replace("{}", value, 1)
        return path

    def _route(self, path: str, query: dict[str, str]) -> tuple[Resource, tuple[str, ...]] | None:
        for pattern, resource in self._routes:
            found = pattern.fullmatch(path)
            if found and resource.kind in (None, query.get("items")):
                return resource, tuple(map(unquote, found.groups()))
        return None

    def _identity(self, resource: Resource, values: tuple[str, ...]) -> str | None:
        """The parent of a path, None if there is none."""
        if resource.parent is None:
            return None
        with self.store.lock:
            parents = self.store.parents(resource.name)
        return next((who for who, path in parents.items() if tuple(map(str, path)) == values), "unknown")

    def _page_of(self, resource: Resource, query: dict[str, str]) -> int:
        try:
            if resource.paging == "number":
                return int(query.get("page", 1)) - 1
            if resource.paging == "link":
                return int(query.get("cursor", "0:0:0").split(":")[1]) // self.page
            name = "after" if resource.paging == "skip" else "start"
            return int(query.get(name, 0)) // max(1, self._size(resource, query))
        except ValueError:
            return 0

    def _size(self, resource: Resource, query: dict[str, str]) -> int:
        requested = query.get(resource.size) if resource.size else None
        return min(int(requested), resource.maximum) if requested else min(self.page, resource.default)

    # Correct responses

    def _correct(
        self, resource: Resource, parent: str | None, query: dict[str, str], request: ParsedRequest, rule: Rule | None
    ) -> tuple[Answer, bool]:
        if resource.parent is not None and parent == "unknown":
            raise _Refused(404, "no such parent")
        records = self._records(resource, parent, query)
        if resource.paging == "object":
            if not records:
                raise _Refused(404, "no such object")
            return Answer(body={resource.selector: records[0]}), True
        if resource.paging == "page":
            return Answer(body=self._enveloped(resource, records)), True
        size, start = self._size(resource, query), self._start(resource, query)
        fault = rule.fault if rule is not None else None
        if fault == "ignore_offset" and request.page > 0:
            assert rule is not None
            rule.count(request)
            page = [{**record, "servedAt": f"{request.number}"} for record in records[:size]]
        elif fault == "lower_cap":
            assert rule is not None
            rule.count(request)
            size = max(1, size // 2)
            start = request.page * size if resource.paging == "number" else start
            page = records[start : start + size]
        else:
            page = records[start : start + size]
        more = start + len(page) < len(records) and bool(page)
        answer = Answer(body=self._enveloped(resource, page))
        if resource.paging == "link":
            flag = "true" if more else "false"
            place = f"0:{start + size}:0"
            answer.headers["Link"] = (
                f'<{self.url}/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", '
                f'<{self.url}/?cursor={place}>; rel="next"; results="{flag}"; cursor="{place}"'
            )
        if resource.paging == "start":
            pagination: dict[str, Any] = {"start": start, "limit": size, "more_items_in_collection": more}
            if more:
                pagination["next_start"] = start + len(page)
            answer.body["additional_data"] = {"pagination": pagination}
        return answer, not more

    def _start(self, resource: Resource, query: dict[str, str]) -> int:
        if resource.paging == "number":
            return (int(query.get("page", 1)) - 1) * self._size(resource, query)
        if resource.paging == "link":
            return int(query.get("cursor", "0:0:0").split(":")[1])
        return int(query.get("after" if resource.paging == "skip" else "start", 0))

    def _records(self, resource: Resource, parent: str | None, query: dict[str, str]) -> list[dict[str, Any]]:
        versions = self.store.current(resource.name, parent)
        since: datetime | None = None
        if resource.filter is not None:
            since = _moment(query.get(resource.filter.since), resource.stamps)
            if since is None and resource.filter.required:
                raise _Refused(400, f"{resource.filter.since} is required")
            versions = [version for version in versions if visible(version, since)]
            until = _moment(query.get(resource.filter.until or ""), resource.stamps)
            versions = [v for v in versions if until is None or v.stamp is None or v.stamp < until]
        if resource.folders:
            if "folder" not in query:
                raise _Refused(400, "folder is required")
            versions = [version for version in versions if query["folder"] in version.record["folders"]]
        records = [version.record for version in versions]
        if resource.name in self.reordered:
            records = [dict(reversed(record.items())) for record in records]
        if resource.name in self.spelling:
            records = self.spelling[resource.name](records, resource.key)
        if resource.kind is None:
            return records
        removed = [row for row in self.store.removed(resource.name) if since is None or self._ended(row) >= since]
        return [
            *(
                {"item": resource.kind, "id": r[resource.key], "data": [r] if resource.kind == "user" else r}
                for r in records
            ),
            *({"item": resource.kind, "id": row.key, "data": None} for row in removed),
        ]

    def _ended(self, row: Any) -> datetime:
        return row.versions[-1].stamp or EPOCH

    def _enveloped(self, resource: Resource, records: list[Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        holder = body
        *outer, last = resource.selector.split(".")
        for name in outer:
            holder = holder.setdefault(name, {})
        holder[last] = records
        if resource.platform == "crm":
            body["success"] = True
            if not records and resource.selector == "data":
                body["data"] = None
        return body


def visible(version: Version, since: datetime | None) -> bool:
    """Whether the filter selects a record: always without a timestamp; one before 1970 as if from 1970."""
    return since is None or version.stamp is None or max(version.stamp, EPOCH) >= since


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"status": status, "message": message}})


def _moment(text: str | None, stamps: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Refused(400, f"not a moment: {text}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore closed connections: some clients were killed."""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            answer = server.answer(self.path, token)
            body = answer.raw if answer.raw is not None else json.dumps(answer.body, ensure_ascii=False).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.cut:
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(timestamp or server.store.clock.now.timestamp())

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def kill(pid: int) -> None:
    """SIGKILL, if the process still exists."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
