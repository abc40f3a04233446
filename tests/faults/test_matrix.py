"""Faults x paginators x phases, over real sockets: a right result or a clear error, never part of the rows."""

import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import PlatformAssetsError
from platform_assets.extraction.reading import NO_PARENT, ListRead, Parent, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.lossless_json import as_json
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.sandbox.tokens import sandbox_token
from tests.conftest import COUNTED
from tests.faults.catalogue import BOMB, Case, catalogue
from tests.servers.faulty_proxy import FaultyProxy, Good

CASES = {case.name: case for case in catalogue()}
KNOWN: dict[str, Good] = {}
LONGEST = 20.0
"""Seconds that a read may take with the timeouts below, four tries each: none hangs."""


@dataclass(frozen=True)
class Target:
    """A resource that pages in one way, and the queries of its requests."""

    paginator: str
    platform: str
    resource: str
    page_size: int | None
    parent: Parent = NO_PARENT


TARGETS = (
    Target("page number", "load_testing", "tests", 100),
    Target("offset", "device_management", "organizations", 64),
    Target("cursor in the body", "crm", "organizations", 500),
    Target(
        "cursor in a header",
        "error_tracking",
        "issues",
        None,
        Parent("acme/mobile", {"organization": "acme", "project": "mobile"}),
    ),
    Target("single page", "crm", "lead_labels", None),
    Target("single object", "ci_analytics", "access_token", None),
)


def read_all(
    url: str, target: Target, patience: float, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """All records, through a client that waits `patience` seconds for an answer."""
    platform = platform_named(target.platform)
    settings = Settings(
        base_url=f"{url}/{target.platform}",
        token=sandbox_token(target.platform),
        page_size=target.page_size,
        backoff_factor=0.0,
        read_timeout=patience / 2,
        answer_timeout=patience,
    )
    with ApiClient(platform, settings, sleep=sleep) as client:
        pages = read_records(ListRead(client, platform.resource(target.resource), target.parent))
        found = [record for page in pages for record in page]
        for record in found:
            # As the rows' hashes do next: what cannot be kept is refused.
            as_json(record, "a record", sort_keys=True)
        return found


@dataclass(frozen=True)
class Healthy:
    """What an undisturbed read finds, and the requests that it makes."""

    records: list[bytes]
    requests: list[str]

    @property
    def phases(self) -> dict[str, str]:
        """The first, a middle and the last request."""
        places = {"first": 0, "middle": len(self.requests) // 2, "last": -1}
        return (
            {name: self.requests[at] for name, at in places.items()}
            if len(self.requests) > 2
            else {"only": self.requests[0]}
        )


@pytest.fixture(scope="module")
def healthy(shared_sandbox: SandboxServer) -> list[tuple[Target, Healthy]]:
    found: list[tuple[Target, Healthy]] = []
    for target in TARGETS:
        with FaultyProxy(shared_sandbox.url) as proxy:
            records = read_all(proxy.url, target, 20)
        assert records
        found.append((target, Healthy(canonical(records), proxy.targets)))
    return found


@pytest.fixture(autouse=True)
def _small_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a bomb need not be large; test_bounds.py has one of full size."""
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (BOMB - 1) << 20)


def canonical(records: list[dict[str, Any]]) -> list[bytes]:
    return sorted(orjson.dumps(record, option=orjson.OPT_SORT_KEYS) for record in records)


def attempt(
    sandbox: SandboxServer, case: Case, target: Target, request: str, healthy: Healthy, stays: bool
) -> Counter[str]:
    """One read with one fault; what came of it."""
    times = None if stays else 1
    # Where a fault stays, what the server asks to wait is counted and not slept.
    sleep = (lambda seconds: None) if stays else time.sleep
    began = time.monotonic()
    with FaultyProxy(sandbox.url, case.spoil, pattern=f"{re.escape(request)}$", times=times, known=KNOWN) as proxy:
        error, records = None, []
        try:
            records = canonical(read_all(proxy.url, target, case.patience, sleep))
        except PlatformAssetsError as problem:
            error = str(problem)
    where = f"{case.name}, {target.paginator}, {request}, {'stays' if stays else 'once'}"
    assert proxy.struck, f"{where}: never happened"
    assert time.monotonic() - began < LONGEST, f"{where}: hung"
    survives = case.stays if stays else case.once
    assert (error is None) == survives, f"{where}: {error or 'survived'}"
    if error is not None:
        assert re.search(case.error, error), f"{where}: {error}"
        assert sandbox_token(target.platform) not in error and len(error) < 600, f"{where}: {error}"
        return Counter({"tried": 1, "clear errors": 1})
    lost = Counter(healthy.records) - Counter(records)
    invented = Counter(records) - Counter(healthy.records)
    return Counter({"tried": 1, "survived": 1, "rows lost": lost.total(), "rows invented": invented.total()})


@pytest.mark.parametrize("name", CASES)
def test_a_fault_leaves_a_right_result_or_a_clear_error(
    name: str,
    shared_sandbox: SandboxServer,
    healthy: list[tuple[Target, Healthy]],
    record_property: Callable[[str, object], None],
) -> None:
    jobs = [
        (shared_sandbox, CASES[name], target, request, known, stays)
        for target, known in healthy
        for phase, request in known.phases.items()
        for stays in (False, True)
        if not (stays and CASES[name].costly and phase in ("first", "middle"))
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = sum(pool.map(lambda job: attempt(*job), jobs), Counter[str]())
    for what in COUNTED:
        record_property(f"faults {what}", found[what])
    assert found["rows lost"] == found["rows invented"] == 0
    assert found["tried"] == len(jobs) == found["survived"] + found["clear errors"]
