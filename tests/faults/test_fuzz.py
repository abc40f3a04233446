"""Whatever comes over the wire, out of a setting or into a declaration: a result, or an error of ours."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from dlt.common.schema import Schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platform_assets.extraction.client import Answer, ApiClient, fill_path, told_wait
from platform_assets.extraction.paging import LoopGuard, link_entries, pager, pages
from platform_assets.extraction.reading import NO_PARENT, read
from platform_assets.extraction.settings import Settings, read_settings
from platform_assets.extraction.source import table_columns
from platform_assets.extraction.spool import Spool
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.vocabulary import (
    BearerAuth,
    Client,
    Endpoint,
    Incremental,
    Platform,
    PlatformAssetsError,
    Resource,
    SinglePage,
    validate,
)
from tests.faults.proxy import FaultyProxy, Good, Wire

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(datetime.isoformat)
NAMES = st.text(max_size=8) | st.sampled_from(["data", "id", "item", "success", "additional_data", "next_start"])
JSON = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(NAMES, one, max_size=4), max_leaves=12
)


class Answers:
    """A client whose every request gets the same answer over a real socket."""

    def __init__(self, url: str) -> None:
        self.proxy = FaultyProxy(url, self._spoil, times=None, known={})
        self.body, self.headers = b"", dict[str, str]()

    def _spoil(self, wire: Wire, good: Good) -> bool:
        wire.send(good.message(self.body, status=200, **self.headers))
        return True

    def read(self, name: str, resource: str) -> int | None:
        """Rows that were kept, None where it was refused."""
        platform = platform_named(name)
        client_settings = Settings(base_url=f"{self.proxy.url}/{name}", token="t0ken", backoff_factor=0.0)
        columns = table_columns(platform, platform.resource(resource), Schema(name).naming)
        key = platform.primary_key_of(platform.resource(resource))
        with tempfile.TemporaryDirectory() as folder, ApiClient(platform, client_settings) as client:
            spool = Spool(Path(folder), columns, key, None, no_hashes(), b"", datetime.now(UTC), None)
            try:
                batch = read(client, platform.resource(resource), NO_PARENT, None, spool, {}, Counter())
                spool.accept(batch)
                return batch.records
            except PlatformAssetsError as error:
                assert "t0ken" not in str(error) and len(str(error)) < 2000
                return None


def no_hashes() -> Any:
    return np.empty(0, np.uint64)


@pytest.fixture(scope="module")
def answers(shared_sandbox: SandboxServer) -> Iterator[Answers]:
    found = Answers(shared_sandbox.url)
    with found.proxy:
        yield found


@SLOW
@given(body=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes(answers: Answers, body: bytes) -> None:
    answers.body = body
    answers.read("crm", "leads")


@SLOW
@given(body=JSON)
def test_any_json(answers: Answers, body: Any) -> None:
    answers.body = orjson.dumps(plain(body))
    answers.read("crm", "leads")
    answers.read("error_tracking", "projects")
    answers.read("ci_analytics", "access_token")


@SLOW
@given(records=st.lists(st.dictionaries(NAMES, JSON, max_size=5), max_size=6))
def test_any_records_are_kept_whole_or_refused(answers: Answers, records: list[dict[str, Any]]) -> None:
    named = [{**plain(one), "id": number} for number, one in enumerate(records)]
    answers.body = orjson.dumps({"success": True, "data": named})
    kept = answers.read("crm", "lead_labels")
    assert kept in (None, len(named))


@SLOW
@given(link=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120), results=st.booleans())
def test_any_link_header(answers: Answers, link: str, results: bool) -> None:
    answers.body = b'{"data": []}'
    answers.headers = {"link": f'{link}; rel="next"; results="{str(results).lower()}"'}
    try:
        answers.read("error_tracking", "projects")
    finally:
        answers.headers = {}
    link_entries(link)


@QUICK
@given(
    name=st.sampled_from(["Retry-After", "RateLimit-Reset", "x-ratelimit-reset", "X-Sentry-Rate-Limit-Reset"]),
    value=st.text(max_size=30) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str),
    body=st.binary(max_size=60) | JSON.map(lambda one: orjson.dumps({"reset": plain(one)})),
    status=st.sampled_from([429, 503]),
)
def test_any_told_wait_is_a_number_of_seconds_or_none(name: str, value: str, body: bytes, status: int) -> None:
    found = told_wait(status, {name: value}, body, datetime.now(UTC))
    assert found is None or 0 <= found < float("inf")


@QUICK
@given(
    positions=st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.integers(), max_size=2), max_size=8
    )
)
def test_the_guard_ends_every_circle(positions: list[dict[str, str | int]]) -> None:
    guard = LoopGuard(max_pages=5)
    seen: list[dict[str, str | int]] = []
    for position in positions:
        try:
            guard.check_position(position)
        except PlatformAssetsError:
            return
        assert position not in seen and len(seen) <= 5
        seen.append(position)


@QUICK
@given(
    key=st.sampled_from(["BASE_URL", "CONTRACT", "START_DATE", "PAGE_SIZE", "BACKOFF_FACTOR"]),
    value=st.text(max_size=40),
)
def test_any_setting_is_used_or_named(key: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__CRM__BASE_URL", "https://api.example.com")
        patch.setenv("SOURCES__CRM__API_TOKEN", "t0ken")
        patch.setenv(f"SOURCES__CRM__{key}", clean(value).replace("\0", ""))
        try:
            found = read_settings(platform_named("crm"))
        except PlatformAssetsError as error:
            assert f"SOURCES__CRM__{key}" in str(error) or key.lower() in str(error)
        else:
            assert found.base_url.startswith("http") and (found.page_size is None or found.page_size > 0)


@QUICK
@given(value=st.text() | st.integers() | st.floats() | st.none())
def test_any_path_value_stays_in_its_segment(value: object) -> None:
    try:
        path = fill_path("/a/{key}/b", {"key": value})
    except PlatformAssetsError:
        return
    assert path.startswith("/a/") and path.endswith("/b") and path.count("/") == 3
    assert not set(path) & set("?#\\ ")


@QUICK
@given(
    name=st.text(max_size=12),
    path=st.text(max_size=20) | st.sampled_from(["/a/{b}", "/{a}/{a}", "/{", "/}{", "a", "//x", "/a?b=c"]),
    selector=st.text(max_size=8),
    columns=st.dictionaries(
        st.text(max_size=6), st.sampled_from(["text", "bigint", "timestamp", "json", "nonsense"]), max_size=3
    ),
    key=st.text(max_size=6) | st.lists(st.text(max_size=4), max_size=2).map(tuple),
    cursor=st.none() | st.text(max_size=6),
)
def test_any_declaration_is_accepted_or_refused_by_name(
    name: str, path: str, selector: str, columns: dict[str, Any], key: Any, cursor: str | None
) -> None:
    try:
        incremental = None if cursor is None else Incremental(cursor_path=cursor, start_param="since")
        resource = Resource(
            name=name,
            description="Things.",
            endpoint=Endpoint(path=path, data_selector=selector, incremental=incremental),
            columns=columns,
            primary_key=key,
        )
        client = Client(auth=BearerAuth(), probe="/", paginator=SinglePage())
        platform = Platform(name="shop", title="Shop", description="", client=client, resources=(resource,))
        validate([platform])
    except PlatformAssetsError as error:
        assert str(error)
    else:
        table_columns(platform, resource, Schema("shop").naming)


def test_every_real_declaration_pages_to_an_end_on_an_empty_answer() -> None:
    for platform in all_platforms():
        for resource in platform.resources:
            found = [
                *pages(
                    lambda params: Answer({}, {}),
                    pager(platform.paginator_of(resource), None),
                    {},
                    lambda body: [],
                )
            ]
            assert found == [[]]


def plain(value: Any) -> Any:
    """As a server can send it: no number beyond 64 bits, no NaN, no lone surrogate."""
    if isinstance(value, dict):
        return {clean(name): plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(2**64 - 1, value))
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()
