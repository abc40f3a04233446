"""In whatever order requests arrive, no window of the declared length holds more than the declared number."""

import multiprocessing
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import RateLimit
from platform_assets.http.client import ApiClient
from platform_assets.http.rate_limiter import Limiter
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer


@given(st.integers(1, 5), st.floats(0.5, 10), st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_no_window_holds_more_than_the_limit(requests: int, seconds: float, pauses: list[float]) -> None:
    now = 0.0

    def sleep(span: float) -> None:
        nonlocal now
        now += span

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "limit"
        limit = RateLimit(requests=requests, seconds=seconds)
        # Two limiters, as in two processes.
        both = [Limiter(limit, file, clock=lambda: now, jitter=0) for _ in range(2)]
        sent: list[float] = []
        for number, pause in enumerate(pauses):
            now += pause
            both[number % 2].wait(sleep)
            sent.append(now)
    for first, later in zip(sent, sent[requests:], strict=False):
        assert later - first >= seconds - 1e-6


def test_threads_share_the_limit(tmp_path: Path) -> None:
    limiter = Limiter(RateLimit(requests=5, seconds=0.2), tmp_path / "limit", jitter=0)
    sent: list[float] = []

    def ask() -> None:
        for _ in range(4):
            limiter.wait()
            sent.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(sent) - min(sent) >= 0.55


@pytest.mark.parametrize("left", ["", "[1.0, 2", "[99999999999.0]"])
def test_a_truncated_limiter_file_or_one_from_before_a_reboot_does_not_block(left: str, tmp_path: Path) -> None:
    file = tmp_path / "limit"
    file.write_text(left)
    assert Limiter(RateLimit(requests=1, seconds=60), file).wait() == 0


LIMITED = replace(
    platform_named("ci_analytics"),
    client=replace(platform_named("ci_analytics").client, rate_limit=RateLimit(requests=20, seconds=1)),
)
processes = multiprocessing.get_context("forkserver")


def send_requests(url: str, token: str, folder: str) -> None:
    """40 requests from a separate process, four at a time."""
    tempfile.tempdir = folder
    settings = Settings(base_url=url, token=token)
    with ApiClient(LIMITED, settings) as client, ThreadPoolExecutor(4) as pool:
        for answer in pool.map(lambda _: client.get("/v2/access-token"), range(40)):
            assert answer.body["data"]


def test_two_runs_together_stay_under_the_declared_limit_by_the_servers_own_log(tmp_path: Path) -> None:
    with SandboxServer() as server:
        arguments = (server.base_url("ci_analytics"), server.token("ci_analytics"), str(tmp_path))
        running = [processes.Process(target=send_requests, args=arguments) for _ in range(2)]
        for process in running:
            process.start()
        for process in running:
            process.join(60)
        assert [process.exitcode for process in running] == [0, 0]
        times = sorted(request["time"] for request in server.requests)
        assert len(times) == 80
        assert all(later - first >= 1.0 for first, later in zip(times, times[20:], strict=False))
