"""The sandbox in fault mode: a proxy on a raw socket that forwards requests and can corrupt a response on the wire."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from io import BufferedReader
from typing import Self
from urllib.parse import unquote_plus, urlsplit

MAX_SECONDS = 10.0
"""Seconds after which a server that means to be silent or slow for ever gives up, so that no test hangs."""


@dataclass(frozen=True)
class GoodResponse:
    """What the sandbox answered: the truth that a fault spoils."""

    status: int
    headers: dict[str, str]
    body: bytes

    def message(self, body: bytes | None = None, *, status: int | None = None, **headers: str | None) -> bytes:
        """The answer as bytes, with another body or status, and headers added, replaced or (None) left out."""
        sent = self.body if body is None else body
        own: dict[str, str | None] = {**self.headers, "content-length": str(len(sent))}
        own.update({name.replace("_", "-").lower(): value for name, value in headers.items()})
        lines = [f"{name}: {value}" for name, value in own.items() if value is not None]
        head = f"HTTP/1.1 {self.status if status is None else status} Status\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        return head.encode("latin-1") + sent


@dataclass(frozen=True)
class Wire:
    """The connection that a fault writes to."""

    connection: socket.socket
    stopped: threading.Event
    request: str = ""
    """What was asked: the target with its query, and the headers."""

    def send(self, *parts: bytes) -> None:
        """Send at once; a client that has gone is no concern of the server."""
        with suppress(OSError):
            self.connection.sendall(b"".join(parts))

    def drip(self, parts: Iterator[bytes], pause: float) -> None:
        """Send part after part, until the client goes or it has been enough."""
        for _, part in zip(range(int(MAX_SECONDS / pause)), parts, strict=False):
            try:
                self.connection.sendall(part)
            except OSError:
                return
            if self.stopped.wait(pause):
                return

    def silence(self) -> None:
        """Say nothing until the client goes."""
        self.connection.settimeout(MAX_SECONDS)
        with suppress(OSError):
            while self.connection.recv(1024):
                pass

    def reset(self) -> None:
        """End with a TCP reset in place of an orderly end."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.connection.close()


FaultWriter = Callable[[Wire, GoodResponse], bool | None]
"""Writes a bad answer; True keeps the connection open for the next request, as a good server would."""


class FaultyProxy:
    """Passes requests on to `upstream`; those whose target matches `pattern` are spoilt, `times` times or for ever.

    `known` keeps what upstream answered, for a world that stands still.
    """

    def __init__(
        self,
        upstream: str,
        write_fault: FaultWriter | None = None,
        *,
        pattern: str = "",
        times: int | None = 1,
        known: dict[str, GoodResponse] | None = None,
    ) -> None:
        self.write_fault, self.pattern, self.times = write_fault, pattern, times
        self._known = known
        self.faults_served = 0
        self.targets: list[str] = []
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            while request := _request(stream):
                target, headers = request.target, request.headers
                good = self._fetch(request)
                write_fault = self._choose(target)
                if write_fault is None:
                    connection.sendall(good.message())
                elif not write_fault(Wire(connection, self._stopped, unquote_plus(f"{target} {headers}")), good):
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    break
        self._open.discard(connection)

    def _choose(self, target: str) -> FaultWriter | None:
        with self._lock:
            self.targets.append(target)
            if self.write_fault is None or self.times == 0 or not re.search(self.pattern, target):
                return None
            self.times = None if self.times is None else self.times - 1
            self.faults_served += 1
            return self.write_fault

    def _fetch(self, request: "_Request") -> GoodResponse:
        # What is posted tells answers apart too, and a credential is not to be kept.
        if self._known is None or request.method != "GET":
            return self._fetch_from_upstream(request)
        if request.target not in self._known:
            self._known[request.target] = self._fetch_from_upstream(request)
        return self._known[request.target]

    def _fetch_from_upstream(self, request: "_Request") -> GoodResponse:
        client = HTTPConnection(self._upstream.hostname or "", self._upstream.port, timeout=30)
        try:
            headers = {**request.headers, "Accept-Encoding": "identity"}
            client.request(request.method, request.target, body=request.body or None, headers=headers)
            answer = client.getresponse()
            kept = {name.lower(): value for name, value in answer.getheaders()}
            return GoodResponse(answer.status, kept, answer.read())
        finally:
            client.close()


@dataclass(frozen=True)
class _Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def _request(stream: BufferedReader) -> _Request | None:
    """The next request on a connection, None at its end."""
    lines: list[str] = []
    while line := stream.readline().decode("latin-1").strip():
        lines.append(line)
    if not lines:
        return None
    headers = dict(line.split(": ", 1) for line in lines[1:])
    headers.pop("Host", None)
    method, target = lines[0].split(" ")[:2]
    return _Request(method, target, headers, stream.read(int(headers.pop("Content-Length", "0"))))


@contextmanager
def unexpected_server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that nobody should ask: its URL, and what it was sent all the same."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(1)
                with connection, suppress(OSError):
                    received.append(connection.recv(65536))

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
