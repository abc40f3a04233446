"""A server made from a manifest: each of its streams has two records, at the place where the manifest looks for them.

What a published manifest would ask its vendor for is asked from here. The server knows pages by numbers and offsets;
behind any other position there is nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from platform_assets.importing.manifest.components import Manifest
from tests.servers.http_server import HttpServer, Reply, Request

Json = dict[str, Any]

_ORIGIN = re.compile(r"https?://(?:\{\{.*?\}\}|\{%.*?%\}|[^/{'\"\s])+", re.DOTALL)
_TEMPLATE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_ADDRESSES = ("url_base", "url", "token_refresh_endpoint", "path")
_HOST = re.compile(r"(host|url|domain|instance|site|server|endpoint)$", re.IGNORECASE)
_DATE = re.compile(r"date|since|start_time", re.IGNORECASE)
_RECORDS = 2
_MAX_DEPTH = 8
_FIRST = datetime(2026, 10, 2, tzinfo=UTC)
_START = "2026-10-01"
# To whatever is no list: a login, or a token.
_TICKET = {"access_token": "t0k", "token": "t0k", "session": {"id": "s"}, "expires_in": 3600, "id": "s"}


@dataclass(frozen=True)
class Asked:
    """A request, without what pages it. `stream` is None for what no stream asks for."""

    stream: str | None
    path: str
    query: Mapping[str, str]
    body: Any


class GeneratedServer(HttpServer):
    """Serves the lists that are put into `lists`, and notes in `asked` what it was asked."""

    def __init__(self) -> None:
        super().__init__(self._answered)
        self.lists: list[_List] = []
        self.asked: list[Asked] = []

    def serve(self, manifest: Manifest) -> None:
        """Have the lists of a manifest whose addresses are here (`relocated`), and those of its parents."""
        components, fields = _with_parents(manifest)
        self.lists = [_List(name, one, fields.get(name, set())) for name, one in components.items()]

    def _answered(self, request: Request) -> Reply:
        path = unquote(request.target.partition("?")[0])
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        body = _body_of(request)
        found = [one for one in self.lists if one.route.fullmatch(path)]
        if not found:
            self.asked.append(Asked(None, path, query, body))
            return Reply(_TICKET)
        # The one with the most text outside of templates.
        asked = max(found, key=lambda one: (one.literal, one.name))
        rest = {key: value for key, value in query.items() if key not in (asked.token, asked.limit)}
        self.asked.append(Asked(asked.name, path, rest, body))
        return Reply(asked.body(asked.page(query, body)))


class _List:
    """One stream's list."""

    def __init__(self, name: str, component: Mapping[str, Any], fields: set[tuple[str, ...]]) -> None:
        retriever = component["retriever"]
        requester = retriever["requester"]
        paginator = retriever.get("paginator") or {}
        strategy = paginator.get("pagination_strategy") or {}
        extractor = (retriever.get("record_selector") or {}).get("extractor") or {}
        self.name = name
        self.route, self.literal = _route(requester)
        self.token, self.limit = (_place(paginator.get(key)) for key in ("page_token_option", "page_size_option"))
        self._kind, self._first = strategy.get("type"), _number(strategy.get("start_from_page"), 0)
        self._size = _number(strategy.get("page_size"), 100)
        self._at = [str(one) for one in extractor.get("field_path") or ()]
        self._records = [_record(name, number, component, fields) for number in range(1, _RECORDS + 1)]

    def page(self, query: Mapping[str, str], body: Any) -> list[Json]:
        """The records at the position that a request names."""
        position, size = _value(self.token, query, body), _value(self.limit, query, body)
        count = max(1, _number(size, self._size))
        if self._kind == "OffsetIncrement":
            start = _number(position, 0)
        elif self._kind == "PageIncrement":
            start = (_number(position, self._first) - self._first) * count
        else:
            start = 0 if position in (None, "") else _RECORDS
        return self._records[start : start + count] if start >= 0 else []

    def body(self, records: list[Json]) -> Any:
        """An answer that has the records where the manifest looks for them."""
        found: Any = records
        for part in reversed(self._at):
            found = (found if isinstance(found, list) else [found]) if part == "*" else {part: found}
        return found


def relocated(given: Any, url: str, key: str = "") -> Any:
    """A manifest, or a part of it, whose addresses are at `url`."""
    if isinstance(given, dict):
        return {name: relocated(value, url, name) for name, value in given.items()}
    if isinstance(given, list):
        return [relocated(one, url, key) for one in given]
    return _ORIGIN.sub(url, given) if isinstance(given, str) and key in _ADDRESSES else given


def example_config(specification: Any, url: str) -> Json:
    """A value for each setting of a `spec`. Hosts are `url`."""
    declared = specification.get("connection_specification") if isinstance(specification, Mapping) else None
    return _example_object(declared or {}, url, 0)


def _example_object(schema: Mapping[str, Any], url: str, depth: int) -> Json:
    properties = {**(schema.get("properties") or {})}
    for choice in ("oneOf", "anyOf"):
        options = schema.get(choice) or [{}]
        properties |= options[0].get("properties") or {} if isinstance(options[0], Mapping) else {}
    found = {key: _example(key, one, url, depth + 1) for key, one in properties.items() if isinstance(one, Mapping)}
    return found if depth < _MAX_DEPTH else {}


def _example(name: str, schema: Mapping[str, Any], url: str, depth: int) -> Any:
    for key in ("const", "default"):
        if schema.get(key) not in (None, ""):
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or any(key in schema for key in ("properties", "oneOf", "anyOf")):
        return _example_object(schema, url, depth)
    if kind == "array":
        return [_example(name, schema.get("items") or {}, url, depth + 1)] if depth < _MAX_DEPTH else []
    if kind in ("integer", "number", "boolean"):
        return True if kind == "boolean" else 3
    if _DATE.search(name) or schema.get("format") in ("date", "date-time"):
        pattern = str(schema.get("pattern") or "T")
        moment = datetime.now(UTC) if "end" in name else datetime.fromisoformat(f"{_START}T00:00:00Z")
        is_day = schema.get("format") == "date" or "T" not in pattern
        return moment.strftime("%Y-%m-%d" if is_day else "%Y-%m-%dT%H:%M:%SZ")
    return url if _HOST.search(name) else f"{name}-v"


def _with_parents(manifest: Manifest) -> tuple[dict[str, Mapping[str, Any]], dict[str, set[tuple[str, ...]]]]:
    """Components by name, parents that are no streams too, and the fields that children take from each."""
    found = {one.name: one.component for one in manifest.streams}
    fields: dict[str, set[tuple[str, ...]]] = {}
    waiting, seen = list(found.values()), set[int]()
    while waiting:
        component = waiting.pop()
        if id(component) in seen:
            continue
        seen.add(id(component))
        for one in _parents(component.get("retriever") or {}):
            parent = one["stream"]
            name = str(parent.get("name"))
            keys = [str(one.get("parent_key")).split("."), *(one.get("extra_fields") or ())]
            fields.setdefault(name, set()).update(tuple(map(str, key)) for key in keys)
            found.setdefault(name, parent)
            waiting.append(parent)
    lists = {
        name: one for name, one in found.items() if isinstance((one.get("retriever") or {}).get("requester"), dict)
    }
    return lists, fields


def _parents(retriever: Mapping[str, Any]) -> Iterator[Json]:
    routers = retriever.get("partition_router") or ()
    for router in routers if isinstance(routers, list) else [routers]:
        configs = router.get("parent_stream_configs") if isinstance(router, Mapping) else None
        yield from (one for one in configs or () if isinstance(one.get("stream"), Mapping))


def _route(requester: Mapping[str, Any]) -> tuple[re.Pattern[str], int]:
    """What the path of a request looks like, and how much of it is text."""
    base, path = str(requester.get("url_base") or requester.get("url") or ""), str(requester.get("path") or "")
    if "://" in path:
        base, path = path, ""
    whole = f"{base.rstrip('/')}/{path.lstrip('/')}" if path.strip("/") else base
    outside = _TEMPLATE.sub(lambda found: "\0" * len(found[0]), whole)
    end = outside.find("?")
    whole = whole if end < 0 else whole[:end]
    # The host is a template where the address is a setting.
    whole = _ORIGIN.sub("", whole) if "://" in whole else re.sub(r"^\{\{.*?\}\}", "", whole, flags=re.DOTALL)
    parts = [re.escape(part.strip()) for part in _TEMPLATE.split(whole)]
    return re.compile("/*" + ".*?".join(parts).lstrip("/") + "/*", re.DOTALL), len("".join(parts))


def _record(name: str, number: int, component: Mapping[str, Any], fields: set[tuple[str, ...]]) -> Json:
    found: Json = {"id": 10 * number, "name": f"{name} {number}"}
    cursor = component.get("incremental_sync") or {}
    field = cursor.get("cursor_field")
    if isinstance(field, str) and "{{" not in field:
        formats = cursor.get("cursor_datetime_formats") or [cursor.get("datetime_format") or "%Y-%m-%dT%H:%M:%SZ"]
        _put(found, field.split("."), _written(_FIRST.replace(day=_FIRST.day + number), str(formats[0])))
    key = component.get("primary_key") or []
    for part in key if isinstance(key, list) else [key]:
        for one in part if isinstance(part, list) else [part]:
            _put(found, str(one).split("."), 10 * number if str(one).lower().endswith("id") else f"{one}{number}")
    for path in sorted(fields):
        _put(found, list(path), f"{path[-1]}{number}")
    return found


def _written(moment: datetime, form: str) -> Any:
    if form in ("%s", "%ms"):
        return int(moment.timestamp() * (1000 if form == "%ms" else 1))
    return moment.timestamp() if form == "%s_as_float" else moment.strftime(form.replace("%_ms", "000"))


def _put(record: Any, path: list[str], value: Any) -> None:
    for key in path[:-1]:
        record = record.setdefault(key, {}) if isinstance(record, dict) else None
    if isinstance(record, dict):
        record.setdefault(path[-1], value)


def _place(option: Any) -> str | None:
    if not isinstance(option, Mapping) or option.get("type") == "RequestPath":
        return None
    return ".".join(option.get("field_path") or [str(option.get("field_name"))])


def _value(place: str | None, query: Mapping[str, str], body: Any) -> Any:
    if place is None or place in query:
        return None if place is None else query[place]
    for key in place.split("."):
        body = body.get(key) if isinstance(body, Mapping) else None
    return body


def _number(given: Any, usual: int) -> int:
    try:
        return int(given)
    except (TypeError, ValueError):
        return usual


def _body_of(request: Request) -> Any:
    try:
        return json.loads(request.content) if request.content else {}
    except ValueError:
        return dict(parse_qsl(request.content.decode(errors="replace"), keep_blank_values=True))
