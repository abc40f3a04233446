"""Machines that load into one Postgres stay under a declared limit together, as the API's own log shows.

Each process here has a temporary directory of its own, so it shares no file with the others.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Endpoint, RateLimit
from platform_assets.http.client import ApiClient
from platform_assets.warehouse.backends.postgres_limits import PostgresLimits
from platform_assets.warehouse.errors import WarehouseError
from platform_assets.warehouse.location import shared_limits
from tests.forkserver import processes
from tests.servers.http_server import HttpServer, Reply, Request
from tests.servers.postgres import CREDENTIALS, PostgresServer, query
from tests.sync.shop import SHOP

LIMIT = RateLimit(requests=10, seconds=1)
# Seconds between the grant of a request and its arrival.
ON_THE_WAY = 0.25
WARM_UP = "/warm-up"
LIMITED = replace(SHOP, client=replace(SHOP.client, rate_limit=LIMIT))
ONE_AT_A_TIME = Endpoint(path="/things", max_concurrency=1)


class Counting(HttpServer):
    """Notes when each request came, and how many were there at once."""

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.times: list[float] = []
        self.most_at_once = 0
        self.pause = 0.0
        self._at_once = 0
        self._lock = threading.Lock()

    def _serve(self, request: Request) -> Reply:
        if request.path.endswith(WARM_UP):
            return Reply(b"[]", headers={"Content-Type": "application/json"})
        with self._lock:
            self.times.append(time.monotonic())
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        time.sleep(self.pause)
        with self._lock:
            self._at_once -= 1
        return Reply(b"[]", headers={"Content-Type": "application/json"})

    def in_fullest_window(self) -> int:
        """The most requests in any window of the limit's length, but for what a busy machine may take to send one."""
        times, seconds = sorted(self.times), LIMIT.seconds - ON_THE_WAY
        return max(sum(start <= at < start + seconds for at in times) for start in times)


@pytest.fixture
def api() -> Iterator[Counting]:
    with Counting() as server:
        yield server


def client_of(url: str, patience: float = 60) -> ApiClient:
    return ApiClient(LIMITED, Settings(base_url=url, token="t0ken"), limits=shared_limits(patience=patience))


def send(
    url: str, requests: int, environment: Mapping[str, str], folder: str | None, endpoint: Endpoint | None
) -> None:
    """Requests from a process on a machine of its own, four at a time."""
    os.environ.update(environment)
    tempfile.tempdir = folder
    with ApiClient(SHOP, Settings(base_url=url, token="t0ken")) as unlimited:
        # The first request of a process takes its time between the grant and the arrival.
        unlimited.get(WARM_UP)
    with client_of(url) as client, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.get("/things", endpoint=endpoint), range(requests)))


def machines(
    api: Counting, requests: int, settings: Mapping[str, str], folder: Path, endpoint: Endpoint | None = None
) -> list[Any]:
    """Two processes that send requests, started."""
    running: list[Any] = []
    for number in range(2):
        own = folder / str(number)
        own.mkdir()
        running.append(processes.Process(target=send, args=(api.url, requests, dict(settings), str(own), endpoint)))
        running[-1].start()
    return running


def ended(running: list[Any]) -> list[int | None]:
    for process in running:
        process.join(60)
    return [process.exitcode for process in running]


@pytest.mark.slow
def test_two_machines_together_stay_under_the_limit(
    api: Counting, in_postgres: Mapping[str, str], tmp_path: Path
) -> None:
    assert ended(machines(api, 15, in_postgres, tmp_path)) == [0, 0]
    assert len(api.times) == 30 and api.in_fullest_window() <= LIMIT.requests
    (stored,) = query(in_postgres, "SELECT name, cardinality(granted) FROM platform_assets.request_limits")
    assert stored[1] == LIMIT.requests and "t0ken" not in stored[0]


@pytest.mark.slow
def test_a_restart_of_the_database_is_waited_for_and_forgets_no_request(api: Counting, tmp_path: Path) -> None:
    with PostgresServer() as server:
        running = machines(api, 20, server.settings, tmp_path)
        deadline = time.monotonic() + 60
        while len(api.times) < 12:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.stop()
        server.start()
        assert ended(running) == [0, 0]
    assert len(api.times) == 40 and api.in_fullest_window() <= LIMIT.requests


def test_without_the_database_nothing_is_requested_and_the_error_says_why(
    api: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PostgresServer() as server:
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        with client_of(api.url, patience=0.5) as client:
            client.get("/things")
            server.stop("immediate")
            for _ in range(2):
                with pytest.raises(WarehouseError, match=r"rate limits are kept in the warehouse.*nothing more"):
                    client.get("/things")
            server.start()
    assert len(api.times) == 1


def test_an_endpoint_that_takes_one_request_at_a_time_gets_one_from_all_machines(
    api: Counting, in_postgres: Mapping[str, str], tmp_path: Path
) -> None:
    api.pause = 0.05
    assert ended(machines(api, 6, in_postgres, tmp_path, ONE_AT_A_TIME)) == [0, 0]
    assert len(api.times) == 12 and api.most_at_once == 1


def test_a_killed_process_keeps_nobody_from_the_endpoint(api: Counting, in_postgres: Mapping[str, str]) -> None:
    api.pause = 30
    process = processes.Process(target=send, args=(api.url, 1, dict(in_postgres), None, ONE_AT_A_TIME))
    process.start()
    deadline = time.monotonic() + 30
    while not api.times:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.join()
    api.pause = 0
    with client_of(api.url) as client:
        client.get("/things", endpoint=ONE_AT_A_TIME)
    assert len(api.times) == 2


@pytest.mark.slow
def test_after_a_restart_of_the_database_the_request_in_flight_is_waited_for(api: Counting, tmp_path: Path) -> None:
    api.pause = 2
    with PostgresServer() as server:
        running = machines(api, 1, server.settings, tmp_path, ONE_AT_A_TIME)
        deadline = time.monotonic() + 60
        while not api.times:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.restart()
        assert ended(running) == [0, 0]
        assert query(server.settings, "SELECT count(*) FROM platform_assets.request_turns") == [(0,)]
    assert len(api.times) == 2 and api.most_at_once == 1


def test_after_a_restart_of_the_database_a_process_that_is_gone_is_waited_for_as_long_as_a_request_takes(
    in_postgres: Mapping[str, str],
) -> None:
    def limits(longest: float) -> PostgresLimits:
        return PostgresLimits(lambda: connected(in_postgres), 60, longest_request=longest)

    first = limits(0.4)
    with first.one_at_a_time("things", time.sleep):
        first.close()
        # As the server's start before a restart.
        query(in_postgres, "UPDATE platform_assets.request_turns SET server_start = now() - interval '1 day'")
        began = time.monotonic()
        with limits(0.4).one_at_a_time("things", time.sleep):
            assert time.monotonic() - began >= 0.4
            first.close()


@pytest.mark.slow
def test_whoever_waits_long_for_its_turn_has_all_its_patience_left_when_the_database_restarts(tmp_path: Path) -> None:
    waiting = threading.Event()
    with PostgresServer() as server:
        first, second = (PostgresLimits(lambda: connected(server.settings), 3) for _ in range(2))

        def turn() -> None:
            with second.one_at_a_time("things", lambda seconds: (time.sleep(seconds), waiting.set())):  # pyright: ignore[reportArgumentType] -- its result is not used
                pass

        with ThreadPoolExecutor(1) as pool:
            with first.one_at_a_time("things", time.sleep):
                patient = pool.submit(turn)
                assert waiting.wait(30)
                time.sleep(3.5)
                server.restart()
            patient.result(30)


def connected(settings: Mapping[str, str]) -> Any:
    opened = psycopg2.connect(settings[CREDENTIALS])
    opened.autocommit = True
    return opened
