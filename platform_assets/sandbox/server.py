"""The sandbox as a server: in a thread for tests and one-command runs, or in the foreground."""

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import uvicorn

from platform_assets.sandbox.app import Clock, Sandbox
from platform_assets.sandbox.backend import FakeBackend
from platform_assets.sandbox.faults import Fault
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors import VendorOptions
from platform_assets.sandbox.vendors.settings import vendor_settings


class SandboxServer:
    """A sandbox in a thread of this process, on a free port of the loopback interface. Use it as a context manager.

    Its records are of a fixed day unless `backend` is of another; with `clock`, days are added to them as they pass.

    Attributes:
        backend: the fake backend whose records are served; move its clock with `advance`.
        faults: faults to inject; may be changed while the server runs.
        vendors: switches of the vendors' APIs; may be changed while the server runs.
        latency: seconds that each response is late; may be changed while the server runs.
    """

    def __init__(
        self,
        backend: FakeBackend | None = None,
        *,
        faults: Sequence[Fault] = (),
        latency: float = 0.0,
        port: int = 0,
        vendors: VendorOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.backend = backend or FakeBackend()
        self._sandbox = Sandbox(self.backend, list(faults), latency, vendors, clock)
        self.faults = self._sandbox.faults
        self.vendors = self._sandbox.vendors
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(self._sandbox.app, log_level="critical", access_log=False, lifespan="off")
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Requests so far: time, platform, contract, path, query, status; no credentials."""
        return list(self._sandbox.requests)

    @property
    def latency(self) -> float:
        return self._sandbox.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._sandbox.latency = seconds

    def base_url(self, platform: str) -> str:
        return f"{self.url}/{platform}"

    def vendor_url(self, contract: str) -> str:
        """The base URL of a vendor's contract, e.g. of `buildkite`."""
        return f"{self.url}/vendor/{contract}"

    def token(self, platform: str) -> str:
        return sandbox_token(platform)

    def vendor_settings(self, contract: str) -> dict[str, str]:
        """Setting -> value under `[sources.<platform>]`, for a platform that speaks a vendor's contract with this."""
        return {"base_url": self.vendor_url(contract), **vendor_settings(contract, self.vendors)}


def serve(host: str, port: int, backend: FakeBackend, clock: Clock | None) -> None:
    """Serve in the foreground until interrupted; `backend` and `clock` are as for `SandboxServer`."""
    sandbox = Sandbox(backend, [], 0.0, clock=clock)
    uvicorn.run(sandbox.app, host=host, port=port, log_level="warning", access_log=False, lifespan="off")
