"""Reports that the vendor's API makes on request, and the manifests that read them."""

import csv
import gzip
import io
import json
from collections import Counter
from typing import Any
from zipfile import ZipFile

from tests.servers.http_server import Reply, Request

Json = dict[str, Any]

KEY = "k3y"
SHOPS: list[Json] = [{"id": "north"}, {"id": "south"}]
SALES: list[Json] = [
    {"id": f"{shop}-{number}", "shop": shop, "note": f'a "note", {number}\n', "at": f"2026-0{1 + number % 5}-1{number}"}
    for shop in ("north", "south")
    for number in range(9)
]


class Reports:
    """The part of the API at `/v1/reports`: a job is done at its second poll; the first one for `flaky` fails."""

    def __init__(self) -> None:
        self.jobs: list[Json] = []
        self.polls: Counter[int] = Counter()
        self.ended: list[tuple[str, int]] = []

    def clear(self) -> None:
        self.__init__()

    def answer(self, place: list[str], request: Request, url: str) -> Reply:
        """The reply to a request; `place` is its path below `/v1/reports`."""
        is_file = bool(place) and place[0] == "files"
        has_key = request.headers.get("Authorization") == f"Bearer {KEY}"
        if has_key == is_file:
            return Reply({"error": "a file wants no credential, all else does"}, 401)
        match request.method, place:
            case "POST", []:
                self.jobs.append(json.loads(request.content or b"{}"))
                number = str(len(self.jobs) - 1)
                return Reply({"id": number}, 202, {"X-Report": number})
            case "GET", ["files", number]:
                return self._file(self.jobs[int(number)], request)
            case "POST", [number, "cancel"]:
                self.ended.append(("abort", int(number)))
                return Reply({})
            case "POST", [number, "delete"]:
                self.ended.append(("delete", int(number)))
                return Reply({})
            case "POST", ["status"]:
                return self._status(int(json.loads(request.content)["ids"][0]), url)
            case "GET", [number]:
                if self.jobs[int(number)].get("kind") == "scoped" and request.headers.get("X-Scope") != "north":
                    return Reply({"error": "of another scope"}, 403)
                return self._status(int(number), url)
            case "GET", [number, "parts"]:
                return Reply({"parts": [{"href": self._address(number, url, part)} for part in ("a", "b")]})
        return Reply({"error": "no such path"}, 404)

    def _status(self, number: int, url: str) -> Reply:
        self.polls[number] += 1
        asked = self.jobs[number]
        if self.polls[number] == 1:
            return Reply({"state": "IN_PROGRESS", "urls": None, "report": {"id": str(number)}})
        if asked.get("kind") == "flaky" and self.jobs.index(asked) == number:
            return Reply({"state": "FATAL", "urls": None})
        if not self._rows(asked):
            return Reply({"state": "NO_DATA", "urls": None})
        return Reply({"state": "DONE", "urls": [self._address(str(number), url)], "report": {"id": str(number)}})

    def _address(self, number: str, url: str, part: str = "") -> str:
        return f"{url}/v1/reports/files/{number}?part={part}&sig=0123456789abcdef"

    def _rows(self, asked: Json) -> list[Json]:
        shop, start, end = asked.get("shop"), asked.get("from", ""), asked.get("to", "9")
        return [one for one in SALES if shop in (None, one["shop"]) and start <= one["at"] <= end]

    def _file(self, asked: Json, request: Request) -> Reply:
        rows, form, part = self._rows(asked), asked.get("as", "csv"), request.query.get("part")
        if part:
            rows = rows[::2] if part == "a" else rows[1::2]
        if "at" in request.query or form == "pages":
            start = int(request.query.get("at", 0))
            more = start + 5 if start + 5 < len(rows) else None
            return Reply({"rows": rows[start : start + 5], "next": more})
        if form == "archive":
            return Reply(_archive(rows))
        if form == "json":
            return Reply(gzip.compress(json.dumps(rows).encode()))
        if form == "lines":
            return Reply(b"".join(json.dumps(one).encode() + b"\n" for one in rows))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, fieldnames=list(SALES[0]))
        writer.writeheader()
        writer.writerows(rows)
        return Reply(gzip.compress(text.getvalue().encode()))


_AUTHENTICATOR = {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}


def _archive(rows: list[Json]) -> bytes:
    """A ZIP archive of two tables."""
    found = io.BytesIO()
    with ZipFile(found, "w") as into:
        for number, part in enumerate((rows[::2], rows[1::2])):
            text = io.StringIO(newline="")
            writer = csv.DictWriter(text, list(SALES[0]))
            writer.writeheader()
            writer.writerows(part)
            into.writestr(f"{number}.csv", text.getvalue())
    return found.getvalue()


def _asked(path: str, method: str = "GET", **more: Any) -> Json:
    found = {"type": "HttpRequester", "url_base": "{url}/v1/", "path": path, "http_method": method}
    return {**found, "authenticator": _AUTHENTICATOR, **more}


def _at(*path: str) -> Json:
    return {"type": "DpathExtractor", "field_path": list(path)}


def _report(body: Json, **parts: Any) -> Json:
    """A stream of a report, whose parts of the retriever are `parts`, but for those that are the stream's."""
    of_stream = {key: parts.pop(key) for key in ("incremental_sync", "transformations") if key in parts}
    types = {name: {"type": "string"} for name in SALES[0]}
    retriever = {
        "type": "AsyncRetriever",
        "status_mapping": {
            "type": "AsyncJobStatusMap",
            "running": ["IN_PROGRESS"],
            "completed": ["DONE"],
            "failed": ["FATAL"],
            "timeout": ["EXPIRED"],
            "skipped": ["NO_DATA"],
        },
        "status_extractor": _at("state"),
        "download_target_extractor": _at("urls"),
        "creation_requester": _asked("reports", "POST", request_body_json=body),
        "polling_requester": _asked("reports/{{ creation_response['id'] }}"),
        "download_requester": {"type": "HttpRequester", "url_base": "{{download_target}}", "http_method": "GET"},
        "download_decoder": {"type": "GzipDecoder", "decoder": {"type": "CsvDecoder"}},
        "record_selector": {"type": "RecordSelector", "extractor": _at("never", "looked", "at")},
        **parts,
    }
    return {
        "type": "DeclarativeStream",
        "name": "sales",
        "primary_key": "id",
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": types}},
        "retriever": {key: one for key, one in retriever.items() if one is not None},
        **of_stream,
    }


_SHOPS = {
    "type": "DeclarativeStream",
    "name": "shops",
    "primary_key": "id",
    "schema_loader": {
        "type": "InlineSchemaLoader",
        "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
    },
    "retriever": {
        "type": "SimpleRetriever",
        "requester": _asked("report_shops"),
        "record_selector": {"type": "RecordSelector", "extractor": _at()},
    },
}
_OF_SHOPS = {
    "type": "SubstreamPartitionRouter",
    "parent_stream_configs": [
        {"type": "ParentStreamConfig", "stream": _SHOPS, "parent_key": "id", "partition_field": "shop"}
    ],
}
_BY_DAY = {
    "type": "DatetimeBasedCursor",
    "cursor_field": "at",
    "datetime_format": "%Y-%m-%d",
    "cursor_granularity": "P1D",
    "step": "P60D",
    "start_datetime": {"type": "MinMaxDatetime", "datetime": "2026-01-01", "datetime_format": "%Y-%m-%d"},
}
_PAGES = {
    "type": "DefaultPaginator",
    "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "at"},
    "pagination_strategy": {
        "type": "CursorPagination",
        "cursor_value": "{{ response.next }}",
        "stop_condition": "{{ not response.next }}",
    },
}
_SHOP = "{{ stream_partition['shop'] }}"
_WINDOW = {"from": "{{ stream_interval.start_time }}", "to": "{{ stream_interval.end_time }}"}

# Name -> the streams; the rows of `sales` are always SALES.
REPORTS: dict[str, list[Json]] = {
    "a report in gzipped CSV": [_report({})],
    "a report in gzipped JSON": [
        _report({"as": "json"}, download_decoder={"type": "GzipDecoder", "decoder": {"type": "JsonDecoder"}})
    ],
    "a report in a ZIP archive": [
        _report({"as": "archive"}, download_decoder={"type": "ZipfileDecoder", "decoder": {"type": "CsvDecoder"}})
    ],
    "a report in JSON lines, deleted afterwards": [
        _report(
            {"as": "lines"},
            download_decoder={"type": "JsonlDecoder"},
            delete_requester=_asked("reports/{{ creation_response.headers['X-Report'] }}/delete", "POST"),
        )
    ],
    "a report in a file as large as memory": [
        _report({}, download_extractor={"type": "ResponseToFileExtractor"}, download_decoder=None)
    ],
    "a report that fails once": [
        _report({"kind": "flaky"}, abort_requester=_asked("reports/{{ creation_response.id }}/cancel", "POST"))
    ],
    "a report in parts that a request of its own names": [
        _report(
            {},
            download_target_requester=_asked("reports/{{ polling_response['report']['id'] }}/parts"),
            download_target_extractor=_at("parts", "*", "href"),
        )
    ],
    "a report whose status is asked for by a POST": [
        _report(
            {},
            polling_requester=_asked(
                "reports/status", "POST", request_body_json={"ids": ["{{ creation_response['id'] }}"], "n": 1}
            ),
        )
    ],
    "a report in pages": [
        _report({"as": "pages"}, download_decoder=None, download_extractor=_at("rows"), download_paginator=_PAGES)
    ],
    "a report at a path of the job's": [
        _report(
            {"as": "json"},
            download_target_extractor=None,
            download_requester={
                "type": "HttpRequester",
                "url_base": "{url}/v1",
                "path": "/reports/files/{{ creation_response['id'] }}",
                "http_method": "GET",
            },
            download_decoder={"type": "GzipDecoder", "decoder": {"type": "JsonDecoder"}},
        )
    ],
    "a report that is polled with what it was asked with": [
        _report(
            {"kind": "scoped", "as": "json"},
            creation_requester=_asked(
                "reports",
                "POST",
                request_body_json={"kind": "scoped", "as": "json"},
                request_headers={"X-Scope": "north"},
            ),
            polling_requester=_asked(
                "reports/{{ creation_response['id'] }}",
                request_headers={
                    "X-Scope": "{{ stream_slice.extra_fields['creation_response'].request.headers['X-Scope'] }}"
                },
            ),
            download_requester={
                "type": "HttpRequester",
                "url_base": "",
                "path": "{{ download_target }}",
                "http_method": "GET",
                "authenticator": {"type": "NoAuth"},
            },
            download_decoder={
                "type": "GzipDecoder",
                "decoder": {"type": "GzipDecoder", "decoder": {"type": "JsonDecoder", "encoding": "utf"}},
            },
        )
    ],
    "reports of each shop": [_SHOPS, _report({"shop": _SHOP}, partition_router=_OF_SHOPS)],
    "reports in windows": [_report(dict(_WINDOW), incremental_sync=_BY_DAY)],
    "reports of each shop in windows": [
        _SHOPS,
        _report({"shop": _SHOP, **_WINDOW}, partition_router=_OF_SHOPS, incremental_sync=_BY_DAY),
    ],
}
