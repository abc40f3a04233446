"""Faults x paginators x phases, over real sockets: complete rows or a clear error, never part of the rows."""

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
from tests.servers.faulty_proxy import FaultyProxy, GoodResponse

CASES = {case.name: case for case in catalogue()}
KNOWN: dict[str, GoodResponse] = {}
# The most seconds that a read may take with the timeouts below and four attempts per request.
MAX_SECONDS = 20.0


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
    url: str, target: Target, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """All records, through a client with a response timeout of `timeout` seconds."""
    platform = platform_named(target.platform)
    settings = Settings(
        base_url=f"{url}/{target.platform}",
        token=sandbox_token(target.platform),
        page_size=target.page_size,
        backoff_factor=0.0,
        read_timeout=timeout / 2,
        answer_timeout=timeout,
    )
    with ApiClient(platform, settings, sleep=sleep) as client:
        pages = read_records(ListRead(client, platform.resource(target.resource), target.parent))
        found = [record for page in pages for record in page]
        for record in found:
            # As hashing the rows does next: a value that cannot be stored is refused.
            as_json(record, "a record", sort_keys=True)
        return found


@dataclass(frozen=True)
class Healthy:
    """The records and requests of an undisturbed read."""

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
    """A smaller limit, so that a compression bomb need not be large; test_bounds.py has one of full size."""
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (BOMB - 1) << 20)


def canonical(records: list[dict[str, Any]]) -> list[bytes]:
    return sorted(orjson.dumps(record, option=orjson.OPT_SORT_KEYS) for record in records)


def attempt(
    sandbox: SandboxServer, case: Case, target: Target, request: str, healthy: Healthy, permanent: bool
) -> Counter[str]:
    """One read with one fault; counts of its outcome."""
    times = None if permanent else 1
    # With a permanent fault, retry delays are not slept, only counted against the budget.
    sleep = (lambda seconds: None) if permanent else time.sleep
    began = time.monotonic()
    with FaultyProxy(
        sandbox.url, case.write_fault, pattern=f"{re.escape(request)}$", times=times, known=KNOWN
    ) as proxy:
        error, records = None, []
        try:
            records = canonical(read_all(proxy.url, target, case.timeout, sleep))
        except PlatformAssetsError as problem:
            error = str(problem)
    label = f"{case.name}, {target.paginator}, {request}, {'permanent' if permanent else 'once'}"
    assert proxy.faults_served, f"{label}: the fault was not served"
    assert time.monotonic() - began < MAX_SECONDS, f"{label}: hung"
    survives = case.permanent if permanent else case.once
    assert (error is None) == survives, f"{label}: {error or 'survived'}"
    if error is not None:
        assert re.search(case.error, error), f"{label}: {error}"
        assert sandbox_token(target.platform) not in error and len(error) < 600, f"{label}: {error}"
        return Counter({"tried": 1, "clear errors": 1})
    lost = Counter(healthy.records) - Counter(records)
    invented = Counter(records) - Counter(healthy.records)
    return Counter({"tried": 1, "survived": 1, "rows lost": lost.total(), "rows invented": invented.total()})


@pytest.mark.parametrize("name", CASES)
def test_a_fault_gives_complete_rows_or_a_clear_error(
    name: str,
    shared_sandbox: SandboxServer,
    healthy: list[tuple[Target, Healthy]],
    record_property: Callable[[str, object], None],
) -> None:
    jobs = [
        (shared_sandbox, CASES[name], target, request, known, permanent)
        for target, known in healthy
        for phase, request in known.phases.items()
        for permanent in (False, True)
        if not (permanent and CASES[name].costly and phase in ("first", "middle"))
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = sum(pool.map(lambda job: attempt(*job), jobs), Counter[str]())
    for what in COUNTED:
        record_property(f"faults {what}", found[what])
    assert found["rows lost"] == found["rows invented"] == 0
    assert found["tried"] == len(jobs) == found["survived"] + found["clear errors"]
