"""Faulty responses, each made from the correct one. A rule selects the requests that get a fault."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Body = Any


@dataclass
class Answer:
    """A response. `cut`: close the connection before its end."""

    status: int = 200
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False


@dataclass(frozen=True)
class ParsedRequest:
    """One request, parsed.

    page: how far into the list, from 0. number: how many requests the client has made for the resource, from 1.
    last: whether the correct response is the list's last page.
    """

    resource: str
    parent: str | None
    page: int
    number: int
    client: str
    selector: str
    paging: str
    key: str
    last: bool = False


@dataclass
class Rule:
    """Which requests get a fault.

    page: from this page on. parent: only this parent's. times: how often, None for always.
    """

    fault: str
    resource: str
    parent: str | None = None
    page: int = 0
    times: int | None = None
    times_served: int = 0
    parents: set[str | None] = field(default_factory=set)

    def applies(self, request: ParsedRequest) -> bool:
        return (
            request.resource == self.resource
            and self.parent in (None, request.parent)
            and request.page >= self.page
            and (self.times is None or self.times_served < self.times)
        )

    def count(self, request: ParsedRequest) -> None:
        self.times_served += 1
        self.parents.add(request.parent)


Fault = Callable[[Answer, ParsedRequest], Answer | None]


def records_of(body: Body, selector: str) -> list[Any] | None:
    for name in selector.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def with_records(body: Body, selector: str, records: Any) -> Body:
    body = deepcopy(body)
    holder = body
    *outer, last = selector.split(".")
    for name in outer:
        holder = holder[name]
    holder[last] = records
    return body


def _status(status: int) -> Fault:
    def fault(answer: Answer, request: ParsedRequest) -> Answer:
        return Answer(status, {"error": {"status": status, "message": "simulated fault"}})

    return fault


def _cut(answer: Answer, request: ParsedRequest) -> Answer:
    answer.cut = True
    return answer


def _half_json(answer: Answer, request: ParsedRequest) -> Answer:
    """Half of the text, with a matching content length."""
    answer.raw = b'{"data": [{"id": 1, "na'
    return answer


def _empty(answer: Answer, request: ParsedRequest) -> Answer:
    answer.body = with_records(answer.body, request.selector, [])
    answer.headers.pop("Link", None)
    answer.body.pop("additional_data", None)
    return answer


def _forget_query(answer: Answer, request: ParsedRequest) -> Answer:
    return Answer(302, {}, {"Location": "."})


def _no_link(answer: Answer, request: ParsedRequest) -> Answer | None:
    if request.last or answer.headers.pop("Link", None) is None:
        return None
    return answer


def _more_without_next(answer: Answer, request: ParsedRequest) -> Answer | None:
    pagination = answer.body.get("additional_data", {}).get("pagination", {})
    if pagination.pop("next_start", None) is None:
        return None
    return answer


def _error_beside_data(answer: Answer, request: ParsedRequest) -> Answer | None:
    records = records_of(answer.body, request.selector)
    if not isinstance(records, list) or len(records) < 2:
        return None
    answer.body = with_records(answer.body, request.selector, records[: len(records) // 2])
    answer.body["error"] = "a shard did not answer"
    answer.body["errors"] = [{"message": "a shard did not answer"}]
    answer.body.pop("additional_data", None)
    answer.headers.pop("Link", None)
    return answer


def _repeated_key(answer: Answer, request: ParsedRequest) -> Answer | None:
    """The key of the records twice in one object, once spelled with an escape: parsers keep the second one."""
    records = records_of(answer.body, request.selector)
    if not isinstance(records, list) or len(records) < 2 or "." in request.selector:
        return None
    text = json.dumps(answer.body)
    name = request.selector
    again = json.dumps({name: records[:1]})[1:-1].replace(f'"{name}"', f'"{name[0]}\\u{ord(name[1]):04x}{name[2:]}"')
    answer.raw = f"{text[:-1]}, {again}}}".encode()
    return answer


FAULTS: dict[str, Fault] = {
    "401": _status(401),
    "403": _status(403),
    "404": _status(404),
    "429": _status(429),
    "500": _status(500),
    "503": _status(503),
    "cut": _cut,
    "half_json": _half_json,
    "empty": _empty,
    "forget_query": _forget_query,
    "no_link": _no_link,
    "more_without_next": _more_without_next,
    "error_beside_data": _error_beside_data,
    "repeated_key": _repeated_key,
}
# Faults that the server implements itself, since they change which records are on a page.
PAGED = ("lower_cap", "ignore_offset")
