"""Wrong answers, each made of the honest one. A rule says which requests get which."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Body = Any


@dataclass
class Answer:
    """What goes over the wire. `cut`: close the connection before the end."""

    status: int = 200
    body: Body = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False


@dataclass(frozen=True)
class Asked:
    """One request, understood.

    page: how far into the list, from 0. number: how many requests the client has made for the resource, from 1.
    last: whether the honest answer is the list's last page.
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

    page: from this page on. parent: only this parent's. times: so often, None for as long as the rule stands.
    """

    fault: str
    resource: str
    parent: str | None = None
    page: int = 0
    times: int | None = None
    hits: int = 0
    whom: set[str | None] = field(default_factory=set)

    def applies(self, asked: Asked) -> bool:
        return (
            asked.resource == self.resource
            and self.parent in (None, asked.parent)
            and asked.page >= self.page
            and (self.times is None or self.hits < self.times)
        )

    def hit(self, asked: Asked) -> None:
        self.hits += 1
        self.whom.add(asked.parent)


Fault = Callable[[Answer, Asked], Answer | None]


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
    def fault(answer: Answer, asked: Asked) -> Answer:
        return Answer(status, {"error": {"status": status, "message": "the simulation says so"}})

    return fault


def _cut(answer: Answer, asked: Asked) -> Answer:
    answer.cut = True
    return answer


def _half_json(answer: Answer, asked: Asked) -> Answer:
    """Half of the text, and a length that says that this is all of it."""
    answer.raw = b'{"data": [{"id": 1, "na'
    return answer


def _empty(answer: Answer, asked: Asked) -> Answer:
    answer.body = with_records(answer.body, asked.selector, [])
    answer.headers.pop("Link", None)
    answer.body.pop("additional_data", None)
    return answer


def _forget_query(answer: Answer, asked: Asked) -> Answer:
    return Answer(302, {}, {"Location": "."})


def _no_link(answer: Answer, asked: Asked) -> Answer | None:
    if asked.last or answer.headers.pop("Link", None) is None:
        return None
    return answer


def _more_without_next(answer: Answer, asked: Asked) -> Answer | None:
    pagination = answer.body.get("additional_data", {}).get("pagination", {})
    if pagination.pop("next_start", None) is None:
        return None
    return answer


def _error_beside_data(answer: Answer, asked: Asked) -> Answer | None:
    records = records_of(answer.body, asked.selector)
    if not isinstance(records, list) or len(records) < 2:
        return None
    answer.body = with_records(answer.body, asked.selector, records[: len(records) // 2])
    answer.body["error"] = "a shard did not answer"
    answer.body["errors"] = [{"message": "a shard did not answer"}]
    answer.body.pop("additional_data", None)
    answer.headers.pop("Link", None)
    return answer


def _repeated_key(answer: Answer, asked: Asked) -> Answer | None:
    """The records' key twice in one object, once written with an escape: parsers keep the second."""
    records = records_of(answer.body, asked.selector)
    if not isinstance(records, list) or len(records) < 2 or "." in asked.selector:
        return None
    text = json.dumps(answer.body)
    name = asked.selector
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
PAGED = ("lower_cap", "ignore_offset")
"""Faults that the server makes itself, since they change which records are on a page."""
