"""Faults x paginators x phases, over real sockets: a right result or a clear error, never part of the rows."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import REFERENCE, PlatformAssetsError, RateLimit
from platform_assets.extraction.reading import NO_PARENT, ListRead, Parent, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.sandbox.tokens import ninjaone_client_id, ninjaone_client_secret, sandbox_token
from tests.conftest import COUNTED
from tests.faults.catalogue import BOMB, Case, catalogue
from tests.servers.faulty_proxy import FaultyProxy, GoodResponse
from tests.tiers import only

CASES = {case.name: case for case in catalogue()}
KNOWN: dict[str, GoodResponse] = {}
MAX_SECONDS = 20.0
"""Seconds that a read may take with the timeouts below, four tries each: none hangs."""


@dataclass(frozen=True)
class Target:
    """A resource that pages in one way, and the queries of its requests.

    Args:
        contract: a live vendor's, or the reference.
        survives_once: faults that this contract retries although the reference's does not.
        is_bare: whether a body is a list of records without an envelope.
    """

    paginator: str
    platform: str
    resource: str
    page_size: int | None
    parent: Parent = NO_PARENT
    contract: str = REFERENCE
    survives_once: frozenset[str] = frozenset()
    is_bare: bool = False

    @property
    def path(self) -> str:
        return self.platform if self.contract == REFERENCE else f"vendor/{self.contract}"


# What NinjaOne's and Pipedrive's contracts take for a throttle page of something before the API.
NOT_JSON = frozenset(
    (
        *("empty-body", "blank-body", "html-as-json", "html", "truncated-with-its-length", "length-too-short"),
        *("two-documents", "nan", "infinity", "deep", "utf-16", "latin-1"),
        *("truncated-gzip", "unknown-encoding"),
    )
)
# A token of NinjaOne that has expired is renewed once.
RENEWED = NOT_JSON | {"status-401"}

# What is in a record is not searched for, and a bare list is nothing but records.
IN_RECORDS = ("repeated-key-that-empties", "repeated-key")

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
    Target(
        "page number with links",
        "ci_analytics",
        "organizations_pipelines",
        15,
        Parent("acme", {"org_slug": "acme"}),
        "buildkite",
        is_bare=True,
    ),
    Target("bare object", "ci_analytics", "access_token", None, contract="buildkite"),
    Target("page number with a total", "load_testing", "tests", 100, contract="k6_legacy"),
    Target("offset with a link", "load_testing", "tests", 100, contract="grafana_k6"),
    Target(
        "limited cursor in a header",
        "error_tracking",
        "releases",
        None,
        Parent("acme", {"organization": "acme"}),
        "sentry",
        frozenset({"status-410"}),
        is_bare=True,
    ),
    Target(
        "last record",
        "device_management",
        "organizations",
        64,
        contract="ninjaone",
        survives_once=RENEWED,
        is_bare=True,
    ),
    Target("smallest record", "device_management", "activities", 500, contract="ninjaone", survives_once=RENEWED),
    Target("stable cursor in the body", "crm", "persons", 300, contract="pipedrive", survives_once=NOT_JSON),
    Target("implied position", "crm", "roles", 3, contract="pipedrive", survives_once=NOT_JSON),
    Target("implied position of nothing", "crm", "mail_threads", 40, contract="pipedrive", survives_once=NOT_JSON),
)


def read_all(
    url: str, target: Target, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> list[dict[str, Any]]:
    """All records, through a client that waits `timeout` seconds for an answer."""
    platform = platform_named(target.platform).with_contract(target.contract)
    token = sandbox_token(target.platform)
    settings = Settings(
        base_url=f"{url}/{target.path}",
        token=token,
        secrets={"client_id": ninjaone_client_id(), "client_secret": ninjaone_client_secret()}
        if target.contract == "ninjaone"
        else {"api_token": token},
        contract=target.contract,
        page_size=target.page_size,
        backoff_factor=0.0,
        read_timeout=timeout / 2,
        answer_timeout=timeout,
        rate_limit=RateLimit(requests=100_000, seconds=1),
        configured={"stack_id": ("4711",), "organization": ("acme",)},
    )
    with ApiClient(platform, settings, sleep=sleep) as client:
        pages = read_records(ListRead(client, platform.resource(target.resource), (target.parent,)))
        found = [record for page in pages for record in page]
        key = platform.primary_key_of(platform.resource(target.resource))
        for record in found:
            # As the buffer and the rows' hashes do next: what has no key or cannot be kept is refused.
            if any(record.get(name) is None for name in key):
                raise AnswerError(f"{platform.name}: a record has no {key}")
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
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox with one project, so that the tests of all of them are a few requests."""
    with SandboxServer() as server:
        tables = server.backend.tables["load_testing"]
        del tables["organizations"][1:]
        organization = str(tables["organizations"][0]["id"])
        tables["projects"] = {organization: tables["projects"][organization][:1]}
        for test in tables["tests"]:
            test["project_id"] = tables["projects"][organization][0]["id"]
        # A response that is kept says when its window ends: a 429 made from it would be waited out until then.
        server.vendors.sentry.window_seconds = server.vendors.buildkite.window_seconds = 1
        yield server


@pytest.fixture(scope="module")
def healthy(sandbox: SandboxServer) -> list[tuple[Target, Healthy]]:
    found: list[tuple[Target, Healthy]] = []
    for target in TARGETS:
        with FaultyProxy(sandbox.url) as proxy:
            records = read_all(proxy.url, target, 20)
        assert records
        # Not the lists that are only looked up, nor the access token.
        path = proxy.targets[-1].partition("?")[0]
        asked = [one for one in proxy.targets if one.partition("?")[0] == path]
        found.append((target, Healthy(canonical(records), asked)))
    return found


@pytest.fixture(autouse=True)
def _small_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a bomb need not be large; test_bounds.py has one of full size."""
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (BOMB - 1) << 20)


def canonical(records: list[dict[str, Any]]) -> list[bytes]:
    # What a fault has put into a record is no concern of the comparison.
    return sorted(as_json({**record, "a": None}, "a record", sort_keys=True) for record in records)


def attempt(
    sandbox: SandboxServer, case: Case, target: Target, request: str, healthy: Healthy, permanent: bool
) -> Counter[str]:
    """One read with one fault; what came of it."""
    times = None if permanent else 1
    # Where a fault permanent, what the server asks to wait is counted and not slept.
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
    where = f"{case.name}, {target.paginator}, {request}, {'permanent' if permanent else 'once'}"
    assert proxy.faults_served, f"{where}: never happened"
    assert time.monotonic() - began < MAX_SECONDS, f"{where}: hung"
    survives = case.permanent if permanent else case.once or case.name in target.survives_once
    survives = survives or (target.is_bare and case.name in IN_RECORDS)
    assert (error is None) == survives, f"{where}: {error or 'survived'}"
    if error is not None:
        assert re.search(case.error, error), f"{where}: {error}"
        assert sandbox_token(target.platform) not in error and len(error) < 600, f"{where}: {error}"
        return Counter({"tried": 1, "clear errors": 1})
    lost = Counter(healthy.records) - Counter(records)
    invented = Counter(records) - Counter(healthy.records)
    return Counter({"tried": 1, "survived": 1, "rows lost": lost.total(), "rows invented": invented.total()})


# Twelfth of the combinations -> its name; those of no name are the rest.
PARTS = {0: "a twelfth", 6: "another", None: "the rest"}
# Much like another fault that `make test` tries. Without these, each combination still occurs with some fault.
SECOND = frozenset(
    (
        *("drop-in-status-line", "drop-in-headers", "drop-before-last-byte", "length-too-long", "giant-header"),
        *("slow-loris-head", "slow-loris-body", "slow-loris-without-length"),
        *("429-retry-after-date", "429-x-ratelimit-reset-delta", "429-body-reset", "429-for-ever", "429-nan-wait"),
        *("status-429", "status-502", "status-504"),
        *(f"status-{status}" for status in (400, 402, 403, 405, 408, 409, 413, 414, 422, 425, 431, 451, 505, 599)),
        *("304", "blank-body", "html-as-json", "length-too-short", "infinity", "repeated-key", "latin-1"),
        *("broken-gzip", "json-text", "json-number"),
        *("wrong-charset", "text-plain", "no-content-type", "indented", "escaped", "unknown-header"),
    )
)


@pytest.mark.parametrize("part", only([PARTS[0]], [*PARTS.values()], slow=[PARTS[6]]))
@pytest.mark.parametrize("name", only(CASES.keys() - SECOND, CASES, slow=SECOND))
def test_a_fault_leaves_a_right_result_or_a_clear_error(
    name: str,
    part: str,
    sandbox: SandboxServer,
    healthy: list[tuple[Target, Healthy]],
    record_property: Callable[[str, object], None],
) -> None:
    """Twelfths of the combinations of a fault, others for each fault, so that each occurs with some; and the rest."""
    every = [
        (sandbox, CASES[name], target, request, known, permanent)
        for target, known in healthy
        for phase, request in known.phases.items()
        for permanent in (False, True)
        if not (permanent and CASES[name].costly and phase in ("first", "middle"))
    ]
    first = [*CASES].index(name)
    jobs = [job for place, job in enumerate(every) if PARTS.get((place + first) % 12, PARTS[None]) == part]
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = sum(pool.map(lambda job: attempt(*job), jobs), Counter[str]())
    for what in COUNTED:
        record_property(f"faults {what}", found[what])
    assert found["rows lost"] == found["rows invented"] == 0
    assert found["tried"] == len(jobs) == found["survived"] + found["clear errors"]
