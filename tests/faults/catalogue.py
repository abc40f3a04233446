"""Every way in which an answer goes wrong that we know of, and what must come of it."""

import gzip
import itertools
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate

from tests.servers.faulty_proxy import FaultWriter, GoodResponse, Wire

BOMB = 12


@dataclass(frozen=True)
class Case:
    """A fault: what is sent, and whether a read survives it `once` and where it `permanent`."""

    name: str
    write_fault: FaultWriter
    once: bool
    permanent: bool
    error: str = ""
    """What the error says (a regular expression), where there is one."""
    timeout: float = 20.0
    """Seconds until the client gives up an answer; half as many until it gives up silence."""
    costly: bool = False
    """Tried in one phase only where it permanent: it takes a hundred requests to be given up."""


def complete_response(make: Callable[[GoodResponse], bytes]) -> FaultWriter:
    """A whole answer on a connection that stays open."""

    def write_fault(wire: Wire, good: GoodResponse) -> bool:
        wire.send(make(good))
        return True

    return write_fault


def truncated_response(make: Callable[[GoodResponse], bytes]) -> FaultWriter:
    """Part of an answer, and the end of the connection."""
    return lambda wire, good: wire.send(make(good))


def _half_of(message: bytes) -> bytes:
    start = message.index(b"\r\n\r\n") + 4
    return message[: start + (len(message) - start) // 2]


def _chunked(good: GoodResponse) -> bytes:
    head = good.message(b"", content_length=None, transfer_encoding="chunked")
    middle = len(good.body) // 2
    return head + b"%x\r\n%s\r\n" % (middle, good.body[:middle]) + b"%x\r\n" % (len(good.body) - middle)


def _silent(wire: Wire, good: GoodResponse) -> None:
    wire.silence()


def _stalled(wire: Wire, good: GoodResponse) -> None:
    wire.send(_half_of(good.message()))
    wire.silence()


def _reset(wire: Wire, good: GoodResponse) -> None:
    wire.send(_half_of(good.message()))
    wire.reset()


def _drip_head(wire: Wire, good: GoodResponse) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    wire.drip(itertools.repeat(b"a"), 0.05)


def _drip_body(wire: Wire, good: GoodResponse) -> None:
    wire.send(good.message(b"", content_length=str(len(good.body))))
    # However short the body is, it takes longer than anybody waits.
    wire.drip((good.body[at : at + 1] for at in range(len(good.body))), max(0.1, 3 / len(good.body)))


def _drip_body_without_length(wire: Wire, good: GoodResponse) -> None:
    """The client breaks it off, which looks like the answer's end; blanks keep it valid JSON up to there."""
    wire.send(good.message(b"", content_length=None, connection="close"), good.body)
    wire.drip(itertools.repeat(b" "), 0.05)


def _endless_continue(wire: Wire, good: GoodResponse) -> None:
    wire.drip(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), 0.02)


def _endless_headers(wire: Wire, good: GoodResponse) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n", *(b"X-%d: y\r\n" % number for number in range(500)), b"\r\n{}")


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def bomb(good: GoodResponse) -> bytes:
    """`BOMB` megabytes of blanks in a thousandth of that, and a good answer behind them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b" " * (1 << 20)) for _ in range(BOMB)]
    return good.message(b"".join([*parts, packer.compress(good.body), packer.flush()]), content_encoding="gzip")


def _with_field(good: GoodResponse, field: bytes) -> bytes:
    """The body with one more field, in the envelope or in the first record of a bare list; a list may be empty."""
    if good.body.lstrip().startswith(b"{"):
        return b"{" + field + b"," + good.body[1:]
    return good.body.replace(b"[{", b"[{" + field + b",", 1) if json.loads(good.body) else b"[{" + field + b"}]"


def _deep_record(good: GoodResponse) -> bytes:
    """600 levels in one field: a parser's limit lies above that, a serialiser's below."""
    deep = b'"deep":' + b'{"a":' * 600 + b"1" + b"}" * 600
    if good.body.startswith(b"["):
        return good.message(_with_field(good, deep))
    if not re.search(rb":\[?\{", good.body):
        return good.message(good.body.replace(b":[]", b":[{" + deep + b"}]", 1))
    return good.message(re.sub(rb"(:\[?\{)", rb"\1" + deep + b",", good.body, count=1))


def _repeated_envelope(good: GoodResponse) -> bytes:
    """The same key again, with nothing in it: parsers keep the last."""
    found = json.loads(good.body)
    if isinstance(found, list):
        return _repeated_same(good)
    name = json.dumps(next(iter(found))).encode()
    return good.message(good.body.rstrip()[:-1] + b"," + name + b":[]}")


def _repeated_same(good: GoodResponse) -> bytes:
    found = json.loads(good.body)
    if found == []:
        return good.message()
    name, value = next(iter((found[0] if isinstance(found, list) else found).items()))
    field = json.dumps(name).encode() + b":" + json.dumps(value).encode()
    return good.message(_with_field(good, field))


def _seconds_from_now(seconds: float) -> str:
    return str(int(time.time() + seconds))


# A good answer may say when its limit is reset, which would be a wait of its own in a refusal.
_NO_RESETS: dict[str, None] = {"ratelimit_reset": None, "ratelimit_user_reset": None, "x_ratelimit_reset": None}


def _status(status: int, body: bytes = b'{"error": "no"}', **headers: str | Callable[[], str]) -> FaultWriter:
    def make(good: GoodResponse) -> bytes:
        found = {name: value if isinstance(value, str) else value() for name, value in headers.items()}
        return good.message(body, status=status, **{**_NO_RESETS, **found})

    return complete_response(make)


def catalogue() -> Iterator[Case]:
    """All cases; names are unique."""
    yield from _broken_connections()
    yield from _waits()
    yield from _refusals()
    yield from _strange_bodies()
    yield from _harmless()


def _broken_connections() -> Iterator[Case]:
    broke = "connection broke|no complete answer|cut off"
    cuts: dict[str, FaultWriter] = {
        "no-answer": truncated_response(lambda good: b""),
        "drop-in-status-line": truncated_response(lambda good: b"HTTP/1.1 20"),
        "drop-in-headers": truncated_response(lambda good: good.message(b"", content_length=None)[:-40]),
        "drop-in-body": truncated_response(lambda good: _half_of(good.message())),
        "drop-before-last-byte": truncated_response(lambda good: good.message()[:-1]),
        "drop-in-chunk": truncated_response(_chunked),
        "drop-without-length": truncated_response(
            lambda good: _half_of(good.message(content_length=None, connection="close")),
        ),
        "reset-in-body": _reset,
        "length-too-long": truncated_response(lambda good: good.message(content_length=str(len(good.body) + 7))),
        "no-http": truncated_response(lambda good: b"SSH-2.0-OpenSSH_9.6\r\n"),
        "endless-headers": _endless_headers,
        "giant-header": truncated_response(lambda good: good.message(x_giant="y" * 100_000)),
    }
    for name, write_fault in cuts.items():
        yield Case(name, write_fault, once=True, permanent=False, error=broke)
    slow: dict[str, FaultWriter] = {
        "silent": _silent,
        "stalled-in-body": _stalled,
        "slow-loris-head": _drip_head,
        "slow-loris-body": _drip_body,
        "slow-loris-without-length": _drip_body_without_length,
        "endless-continue": _endless_continue,
    }
    for name, write_fault in slow.items():
        yield Case(name, write_fault, once=True, permanent=False, error="no complete answer in time", timeout=0.8)


def _waits() -> Iterator[Case]:
    """Told waits of up to a second, in each form; where they stay, the budget ends them."""
    date = lambda: formatdate(time.time() + 1, usegmt=True)  # noqa: E731 -- one of a row of small functions
    soon = lambda: _seconds_from_now(1)  # noqa: E731 -- as above
    forms: dict[str, FaultWriter] = {
        "429-retry-after-seconds": _status(429, retry_after="0.2"),
        "429-retry-after-date": _status(429, retry_after=date),
        "503-retry-after": _status(503, retry_after="0.2"),
        "429-ratelimit-reset": _status(429, ratelimit_reset="0.2"),
        "429-x-ratelimit-reset-delta": _status(429, x_ratelimit_reset="0.2"),
        "429-sentry-reset-absolute": _status(429, x_sentry_rate_limit_reset=soon),
        "429-body-reset": _status(429, b'{"reset": 0.2}'),
    }
    for name, write_fault in forms.items():
        yield Case(name, write_fault, once=True, permanent=False, error="answered 429|answered 503", costly=True)
    for name, value in {
        "429-beyond-the-budget": "90000",
        "429-for-ever": "1e300",
    }.items():
        yield Case(name, _status(429, retry_after=value), once=False, permanent=False, error="come back at")
    for name, value in {"429-nonsense-wait": "soon", "429-nan-wait": "nan", "429-infinite-wait": "inf"}.items():
        yield Case(name, _status(429, retry_after=value), once=True, permanent=False, error="answered 429")


def _refusals() -> Iterator[Case]:
    for status in (429, 500, 502, 503, 504):
        yield Case(f"status-{status}", _status(status), once=True, permanent=False, error=f"answered {status}")
    yield Case(
        "502-html",
        _status(502, b"<html>Bad Gateway</html>"),
        once=True,
        permanent=False,
        error="answered 502: <html>Bad",
    )
    for status in (400, 401, 402, 403, 404, 405, 408, 409, 410, 413, 414, 422, 425, 431, 451, 501, 505, 599):
        yield Case(f"status-{status}", _status(status), once=False, permanent=False, error=str(status))
    yield Case("204", _status(204, b""), once=False, permanent=False, error="answered 204 where 200")
    yield Case("206", _status(206, b"{}"), once=False, permanent=False, error="answered 206 where 200")
    yield Case("304", _status(304, b""), once=False, permanent=False, error="304")


def _strange_bodies() -> Iterator[Case]:
    bodies: dict[str, Callable[[GoodResponse], bytes]] = {
        "empty-body": lambda good: good.message(b""),
        "blank-body": lambda good: good.message(b" \n "),
        "html-as-json": lambda good: good.message(b"<html>Please log in</html>"),
        "html": lambda good: good.message(b"<!doctype html><p>Maintenance", content_type="text/html"),
        "truncated-with-its-length": lambda good: good.message(good.body[:-1]),
        "length-too-short": lambda good: good.message(content_length=str(len(good.body) * 4 // 5)),
        "two-documents": lambda good: good.message(good.body + good.body),
        "nan": lambda good: good.message(_with_field(good, b'"a": NaN')),
        "infinity": lambda good: good.message(_with_field(good, b'"a": -Infinity')),
        "deep": lambda good: good.message(_with_field(good, b'"a":' + b"[" * 100_000 + b"]" * 100_000)),
        "deep-record": _deep_record,
        "repeated-key-that-empties": _repeated_envelope,
        "repeated-key": _repeated_same,
        "utf-16": lambda good: good.message(good.body.decode().encode("utf-16")),
        "latin-1": lambda good: good.message(_with_field(good, b'"a": "\xe9"')),
        "broken-gzip": lambda good: good.message(b"no gzip at all", content_encoding="gzip"),
        "truncated-gzip": lambda good: good.message(_gzip(good.body)[:-12], content_encoding="gzip"),
        "unknown-encoding": lambda good: good.message(zlib.compress(good.body), content_encoding="zx"),
        "json-null": lambda good: good.message(b"null"),
        "json-text": lambda good: good.message(b'"ok"'),
        "json-number": lambda good: good.message(b"7"),
        "empty-object": lambda good: good.message(b"{}"),
        "list-of-texts": lambda good: good.message(b'["a"]'),
        "error-with-200": lambda good: good.message(b'{"error": "token expired"}'),
    }
    for name, make in bodies.items():
        yield Case(name, complete_response(make), once=False, permanent=False)
    yield Case("gzip-bomb", complete_response(bomb), once=False, permanent=False, error="larger than")


def _harmless() -> Iterator[Case]:
    bodies: dict[str, Callable[[GoodResponse], bytes]] = {
        "lone-surrogate": lambda good: good.message(
            good.body if good.body.startswith(b"[") else _with_field(good, b'"a": "\\ud800"')
        ),
        "byte-order-mark": lambda good: good.message(b"\xef\xbb\xbf" + good.body),
        "wrong-charset": lambda good: good.message(content_type="application/json; charset=iso-8859-1"),
        "text-plain": lambda good: good.message(content_type="text/plain"),
        "no-content-type": lambda good: good.message(content_type=None),
        "gzip": lambda good: good.message(_gzip(good.body), content_encoding="gzip"),
        "indented": lambda good: good.message(json.dumps(json.loads(good.body), indent=3).encode()),
        "escaped": lambda good: good.message(json.dumps(json.loads(good.body), ensure_ascii=True).encode()),
        "unknown-header": lambda good: good.message(x_new="1", ratelimit_reset="3600"),
    }
    for name, make in bodies.items():
        yield Case(name, complete_response(make), once=True, permanent=True)
    yield Case(
        "without-length",
        truncated_response(lambda good: good.message(content_length=None, connection="close")),
        once=True,
        permanent=True,
    )
