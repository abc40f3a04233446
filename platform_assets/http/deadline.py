"""Bounds the time of a whole exchange.

A read timeout alone counts from byte to byte, so a server that drips bytes could keep a request open indefinitely.
`Deadline` shuts the exchange's sockets down from another thread, which also ends a read that blocks.
"""

import socket
from contextlib import suppress
from threading import Lock, Timer, local
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_of_this_thread = local()


class Deadline:
    """Breaks the connections that this thread uses inside the context, once `seconds` are over.

    Use it as a context manager around an exchange of a session with `DeadlineAdapter`. Afterwards `passed` says
    whether the exchange was broken off, since a broken connection can look like a short response.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._lock = Lock()
        self._timer = Timer(seconds, self.end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _of_this_thread.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        _of_this_thread.deadline = None
        self._timer.cancel()
        with self._lock:
            self._sockets.clear()

    def watch(self, connection: socket.socket) -> None:
        """Break `connection` too once the time is over."""
        with self._lock:
            self._sockets.append(connection)
            if self.passed:
                _break(connection)

    def end(self) -> None:
        """Break the connections now."""
        with self._lock:
            self.passed = True
            for connection in self._sockets:
                _break(connection)


def _break(connection: socket.socket) -> None:
    """End the TCP connection under whatever reads from it, TLS included, in any thread."""
    # It may be closed already, or detached since TLS has wrapped it.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _watch(connection: Any) -> None:
    deadline = getattr(_of_this_thread, "deadline", None)
    if deadline is not None and connection is not None:
        deadline.watch(connection)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        # Before TLS, whose handshake can be dripped as well.
        connection = super()._new_conn()
        _watch(connection)
        return connection

    def getresponse(self) -> Any:
        # A pooled connection was made under another deadline.
        _watch(self.sock)
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType] -- urllib3's own class does not fit it either


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType] -- as above


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter with connections that a `Deadline` can break, through proxies too."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
