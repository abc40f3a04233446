"""The HTTP server behind every stub in the tests: a thread on a free port that calls a function for each response.

A test of one client gives it a function; `stub_api.StubApi` routes by path. Two servers are separate: `faulty_proxy`
(corrupts responses byte by byte, which needs a raw socket) and the simulation's (it belongs to an oracle).
"""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

Query = dict[str, str]


@dataclass(frozen=True)
class Request:
    """One request. `number` counts from 1 over the life of the server; `target` is the path as sent, with its query."""

    number: int
    target: str
    headers: Message
    content: bytes = b""
    method: str = "GET"

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> Query:
        """The parameters without the credential."""
        found = dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))
        found.pop("api_token", None)
        return found


@dataclass
class Reply:
    """One response; `body` is sent unchanged if it is bytes, else as JSON. A header that is None is not sent.

    With `break_after`, the connection breaks after that many bytes of the body, although the headers promise all of it.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    break_after: int | None = None


class HttpServer:
    """Responds to GET, POST and DELETE with what `answer` returns; use it as a context manager.

    Attributes:
        answer: called with each request, in a separate thread; may be replaced at any time.
        requests: every request so far, in the order of arrival.
    """

    def __init__(
        self, answer: Callable[[Request], Reply], *, port: int = 0, certificate: ssl.SSLContext | None = None
    ) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        if certificate is not None:
            self._server.socket = certificate.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def targets(self) -> list[str]:
        """Paths and queries so far, as sent."""
        return [request.target for request in self.requests]

    def receive(self, target: str, headers: Message, content: bytes, method: str) -> Reply:
        """Log a request and answer it."""
        with self._lock:
            request = Request(len(self.requests) + 1, target, headers, content, method)
            self.requests.append(request)
        return self.answer(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # Of more than Python's 5 connections at once, the kernel drops some, and the client tries again after a second:
    # requests of one second arrive in the next.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect: some tests kill them, some reject the certificate."""


def _handler(server: HttpServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = server.receive(self.path, self.headers, content, self.command)
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: reply.break_after])

        do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
