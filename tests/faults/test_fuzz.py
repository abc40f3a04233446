"""Whatever comes over the wire, out of a setting or into a declaration: the right result, or an error of ours.

Each property has a half of sound input, whose exact outcome the test knows; refusing everything passes none.
"""

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from dlt.common.schema import Schema
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.configuration.platform_settings import Settings, read_settings
from platform_assets.declarations import (
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
from platform_assets.extraction.reading import NO_PARENT, ListRead, Target, read
from platform_assets.http.answer import Answer
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.link_header import link_entries
from platform_assets.http.pagination.opaque_cursors import LoopGuard
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.retry_delay import retry_delay
from platform_assets.http.urls import fill_path
from platform_assets.platforms import all_platforms, platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.warehouse.dlt_source import table_columns
from tests.servers.faulty_proxy import FaultyProxy, Good, Wire

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(datetime.isoformat)
NAMES = st.text(max_size=8) | st.sampled_from(["data", "id", "item", "success", "additional_data", "next_start"])
JSON = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(NAMES, one, max_size=4), max_leaves=12
)


Row = dict[str, Any]


class Answers:
    """A client whose every request gets the same answer over a real socket; `later` is for all but the first page."""

    def __init__(self, url: str) -> None:
        self.proxy = FaultyProxy(url, self._spoil, times=None, known={})
        self.body, self.headers = b"", dict[str, str]()
        self.later: tuple[bytes, dict[str, str]] | None = None

    def _spoil(self, wire: Wire, good: Good) -> bool:
        is_later = self.later is not None and "cursor=" in wire.request
        body, headers = self.later if self.later and is_later else (self.body, self.headers)
        wire.send(good.message(body, status=200, **headers))
        return True

    def read(self, name: str, resource: str) -> list[Row] | None:
        """The rows that were kept, by column; None where the answer was refused."""
        platform = platform_named(name)
        client_settings = Settings(base_url=f"{self.proxy.url}/{name}", token="t0ken", backoff_factor=0.0)
        columns = table_columns(platform, platform.resource(resource), Schema(name).naming)
        key = platform.primary_key_of(platform.resource(resource))
        asked = len(self.proxy.targets)
        with tempfile.TemporaryDirectory() as folder, ApiClient(platform, client_settings) as client:
            buffer = ParquetBuffer(Path(folder), columns, key, None, no_hashes(), b"", datetime.now(UTC), None)
            try:
                batch = Batch(parent=NO_PARENT.key)
                read(ListRead(client, platform.resource(resource)), Target(buffer, {batch.parent: batch}, {"": {}}))
                buffer.accept(batch)
                return [row for path in buffer.finish().files for row in pq.read_table(path).to_pylist()]
            except PlatformAssetsError as error:
                assert "t0ken" not in str(error) and len(str(error)) < 2000
                return None
            finally:
                assert len(self.proxy.targets) > asked, "the answer was never asked for"


def cells(row: Row) -> list[Any]:
    """The values of a row that come from its record."""
    return [value for name, value in row.items() if name not in ("_dlt_id", "_loaded_at") and value is not None]


def no_hashes() -> Any:
    return np.empty(0, np.uint64)


@pytest.fixture(scope="module")
def answers(shared_sandbox: SandboxServer) -> Iterator[Answers]:
    found = Answers(shared_sandbox.url)
    with found.proxy:
        yield found


LEADS = [{"id": f"lead-{number}", "title": f"Größe {number} ☃"} for number in range(3)]
LEADS_BODY = json.dumps({"success": True, "data": LEADS}, ensure_ascii=False).encode()


@SLOW
@given(
    body=st.binary(max_size=400)
    | st.text(max_size=200).map(str.encode)
    | st.integers(0, len(LEADS_BODY) - 1).map(lambda end: LEADS_BODY[:end])
)
@example(b"")
@example(LEADS_BODY[:-1])
@example(b"{}")
def test_bytes_that_are_no_answer_are_refused(answers: Answers, body: bytes) -> None:
    answers.body = body
    assert answers.read("crm", "leads") is None


@SLOW
@given(space=st.text(" \t\r\n", max_size=20), ascii_only=st.booleans(), indent=st.none() | st.integers(0, 3))
def test_an_answer_is_read_however_its_bytes_are_written(
    answers: Answers, space: str, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps({"data": LEADS, "success": True}, ensure_ascii=ascii_only, indent=indent)
    answers.body = f"{space}{text}{space}".encode()
    rows = answers.read("crm", "leads")
    assert rows is not None and [(row["id"], row["title"]) for row in rows] == [tuple(one.values()) for one in LEADS]


@SLOW
@given(body=JSON)
@example({"data": []})
@example([])
def test_any_json_is_refused_unless_it_has_what_the_contract_says(answers: Answers, body: Any) -> None:
    body = plain(body)
    answers.body = orjson.dumps(body)
    found = body.get("data") if isinstance(body, dict) else None
    records = found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else None
    is_keyed = records is not None and all(one.get("id") not in (None, "") for one in records)
    for name, resource in (("crm", "leads"), ("error_tracking", "projects"), ("ci_analytics", "access_token")):
        rows = answers.read(name, resource)
        if resource == "access_token":
            # One object at the top of the body, with a `uuid`, or an `id` in its place.
            has_object = isinstance(found, dict) and any(found.get(key) not in (None, "") for key in ("uuid", "id"))
            assert rows is None or (has_object and len(rows) == 1)
        else:
            is_null = isinstance(body, dict) and "data" in body and found is None and name == "crm"
            assert rows is None or is_null or is_keyed
            if records == [] and set(body) == {"data"}:
                assert rows == []


@SLOW
@given(value=JSON)
@example(2**64 - 1)
@example({"": [None, {"id": "x"}]})
def test_any_json_in_a_field_is_kept_as_it_came(answers: Answers, value: Any) -> None:
    value = plain(value)
    answers.body = orjson.dumps({"success": True, "data": [{"id": "one", "title": "kept", "label_ids": value}]})
    rows = answers.read("crm", "leads")
    assert rows is not None and [(row["id"], row["title"]) for row in rows] == [("one", "kept")]
    served = json.loads(answers.body)["data"][0]["label_ids"]
    kept = rows[0]["label_ids"]
    assert kept is None if served is None else json.loads(kept) == served


@SLOW
@given(records=st.lists(st.dictionaries(NAMES, JSON, max_size=5), max_size=6))
def test_any_records_are_kept_whole(answers: Answers, records: list[dict[str, Any]]) -> None:
    named = [{**plain(one), "id": f"label-{number}"} for number, one in enumerate(records)]
    answers.body = orjson.dumps({"success": True, "data": named})
    rows = answers.read("crm", "lead_labels")
    assert rows is not None and [row["id"] for row in rows] == [one["id"] for one in named]
    for row, one in zip(rows, json.loads(answers.body)["data"], strict=True):
        given_values = [value for value in one.values() if value is not None]
        assert len(cells(row)) == len(given_values), "a cell for each field that has a value"


@SLOW
@given(
    names=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True),
    texts=st.lists(st.text(max_size=20), min_size=1, max_size=4),
)
def test_texts_of_any_fields_are_kept_letter_by_letter(answers: Answers, names: list[str], texts: list[str]) -> None:
    record = {"id": "one", **{f"x{name}": text for name, text in zip(names, texts, strict=False)}}
    answers.body = orjson.dumps({"success": True, "data": [record]})
    rows = answers.read("crm", "lead_labels")
    assert rows is not None
    assert sorted(cells(rows[0])) == sorted(record.values())


@SLOW
@given(link=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=120), results=st.booleans())
def test_any_link_header_is_an_end_or_refused(answers: Answers, link: str, results: bool) -> None:
    """The same empty page for ever: an end where the header says so, else a circle."""
    answers.body = b'{"data": []}'
    answers.headers = {"link": f'{link}; rel="next"; results="{str(results).lower()}"'}
    try:
        assert answers.read("error_tracking", "projects") in (None, [])
    finally:
        answers.headers = {}
    link_entries(link)


LINK_PARAMS = st.permutations(['rel="{rel}"', 'results="{results}"', 'cursor="{cursor}"', 'title="a, b; c"'])


@SLOW
@given(
    cursor=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1, max_size=40),
    orders=st.tuples(LINK_PARAMS, LINK_PARAMS),
    space=st.sampled_from(["", " ", "  "]),
    is_first=st.booleans(),
)
def test_a_link_header_leads_to_the_page_it_names(
    answers: Answers, cursor: str, orders: tuple[list[str], list[str]], space: str, is_first: bool
) -> None:
    def link(rel: str, results: str, order: list[str]) -> str:
        params = [one.format(rel=rel, results=results, cursor=cursor) for one in order]
        return f";{space}".join([f"<{answers.proxy.url}/page>", *params])

    def header(results: str) -> dict[str, str]:
        links = [link("previous", "true", orders[0]), link("next", results, orders[1])]
        return {"link": f",{space}".join(links if is_first else links[::-1])}

    answers.body, answers.headers = b'{"data": [{"id": "1"}, {"id": "2"}]}', header("true")
    answers.later = b'{"data": [{"id": "3"}]}', header("false")
    since = len(answers.proxy.targets)
    try:
        rows = answers.read("error_tracking", "projects")
    finally:
        answers.headers, answers.later = {}, None
    assert rows is not None and {row["id"] for row in rows} == {"1", "2", "3"}
    asked = [parse_qs(urlsplit(target).query).get("cursor") for target in answers.proxy.targets[since:]]
    assert asked[:2] == [None, [cursor]] and {str(one) for one in asked} == {"None", str([cursor])}


@QUICK
@given(
    name=st.sampled_from(["Retry-After", "RateLimit-Reset", "x-ratelimit-reset", "X-Sentry-Rate-Limit-Reset"]),
    value=st.text(max_size=30) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str),
    body=st.binary(max_size=60) | JSON.map(lambda one: orjson.dumps({"reset": plain(one)})),
    status=st.sampled_from([429, 503]),
)
def test_any_told_wait_is_a_number_of_seconds_or_none(name: str, value: str, body: bytes, status: int) -> None:
    found = retry_delay(status, {name: value}, body, datetime.now(UTC))
    assert found is None or 0 <= found < float("inf")


@QUICK
@given(
    name=st.sampled_from(["Retry-After", "RateLimit-Reset", "x-ratelimit-reset"]),
    seconds=st.integers(0, 900_000),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),
)
def test_a_wait_that_is_told_is_the_wait(name: str, seconds: int, now: datetime) -> None:
    now = now.replace(microsecond=0)
    until = now + timedelta(seconds=seconds)
    epoch = str(int(until.timestamp()))
    assert retry_delay(429, {name: str(seconds)}, b"", now) == seconds
    assert retry_delay(429, {"Retry-After": format_datetime(until, usegmt=True)}, b"", now) == seconds
    assert retry_delay(429, {"X-Sentry-Rate-Limit-Reset": epoch}, b"", now) == seconds
    assert retry_delay(429, {}, orjson.dumps({"reset": seconds}), now) == seconds
    assert retry_delay(503, {name: str(seconds)}, b"", now) == (seconds if name == "Retry-After" else None)


@QUICK
@given(
    positions=st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.integers(), max_size=2), max_size=8
    )
)
def test_the_guard_ends_every_circle_and_nothing_else(positions: list[dict[str, str | int]]) -> None:
    guard = LoopGuard(max_pages=5)
    seen: list[dict[str, str | int]] = []
    for position in positions:
        if position in seen or len(seen) == 5:
            with pytest.raises(AnswerError):
                guard.check_position(position)
            return
        guard.check_position(position)
        seen.append(position)


PAST = datetime(2026, 1, 1)
KEYS = ("BASE_URL", "CONTRACT", "START_DATE", "PAGE_SIZE", "BACKOFF_FACTOR")


def settings_with(key: str, value: str) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCES__CRM__BASE_URL", "https://api.example.com")
        patch.setenv("SOURCES__CRM__API_TOKEN", "t0ken")
        patch.setenv(f"SOURCES__CRM__{key}", value)
        return read_settings(platform_named("crm"))


@QUICK
@given(key=st.sampled_from(KEYS), value=st.text(max_size=40))
def test_any_setting_is_used_or_named(key: str, value: str) -> None:
    try:
        found = settings_with(key, clean(value).replace("\0", ""))
    except PlatformAssetsError as error:
        assert key in str(error).upper()
    else:
        assert found.base_url.startswith("http") and (found.page_size is None or found.page_size > 0)


HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,9}(\.[a-z][a-z0-9]{0,9}){1,3}", fullmatch=True)
SOUND_SETTINGS = st.one_of(
    st.tuples(HOSTS, st.sampled_from(["", "/", "/api", "/api/v1/"])).map(
        lambda parts: ("BASE_URL", f"https://{''.join(parts)}", f"https://{''.join(parts)}".rstrip("/"))
    ),
    st.just(("CONTRACT", "reference", "reference")),
    st.integers(1, 10**6).map(lambda size: ("PAGE_SIZE", str(size), size)),
    st.floats(0, 1e6).map(lambda seconds: ("BACKOFF_FACTOR", repr(seconds), seconds)),
    st.datetimes(max_value=PAST, timezones=st.just(UTC)).map(lambda moment: ("START_DATE", moment.isoformat(), moment)),
    st.dates(max_value=PAST.date()).map(
        lambda day: ("START_DATE", day.isoformat(), datetime(day.year, day.month, day.day, tzinfo=UTC))
    ),
)


@QUICK
@given(sound=SOUND_SETTINGS)
def test_a_sound_setting_is_used_as_it_is(sound: tuple[str, str, object]) -> None:
    key, value, expected = sound
    assert getattr(settings_with(key, value), key.lower()) == expected


@QUICK
@given(value=st.text() | st.integers() | st.floats() | st.none())
@example("..")
@example("%2e%2e")
@example("a/b?c#d")
def test_any_path_value_stays_in_its_segment_and_is_itself(value: object) -> None:
    if str(value) in ("", ".", ".."):
        with pytest.raises(AnswerError):
            fill_path("/a/{key}/b", {"key": value})
        return
    path = fill_path("/a/{key}/b", {"key": value})
    assert path.startswith("/a/") and path.endswith("/b") and path.count("/") == 3
    assert not set(path) & set("?#\\ ")
    assert unquote(path.removeprefix("/a/").removesuffix("/b")) == str(value)


DATA_TYPES = ["text", "bigint", "timestamp", "json"]


def declare(
    name: str, path: str, selector: str, columns: dict[str, Any], key: Any, cursor: str | None
) -> tuple[Platform, Resource]:
    """A platform of one resource, as its file would declare it. Raises PlatformAssetsError where it cannot run."""
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
    return platform, resource


@QUICK
@given(
    name=st.text(max_size=12),
    path=st.text(max_size=20) | st.sampled_from(["/a/{b}", "/{a}/{a}", "/{", "/}{", "a", "//x", "/a?b=c"]),
    selector=st.text(max_size=8),
    columns=st.dictionaries(st.text(max_size=6), st.sampled_from([*DATA_TYPES, "nonsense"]), max_size=3),
    key=st.text(max_size=6) | st.lists(st.text(max_size=4), max_size=2).map(tuple),
    cursor=st.none() | st.text(max_size=6),
)
def test_any_declaration_is_accepted_or_refused_by_name(
    name: str, path: str, selector: str, columns: dict[str, Any], key: Any, cursor: str | None
) -> None:
    try:
        platform, resource = declare(name, path, selector, columns, key, cursor)
    except PlatformAssetsError as error:
        assert "shop" in str(error)
    else:
        table_columns(platform, resource, Schema("shop").naming)


WORD = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)


@QUICK
@given(
    words=st.lists(WORD, min_size=1, max_size=3),
    segments=st.lists(WORD, min_size=1, max_size=4),
    selector=st.just("") | st.lists(WORD, min_size=1, max_size=3).map(".".join),
    others=st.dictionaries(WORD, st.sampled_from(DATA_TYPES), max_size=3),
    key=st.lists(WORD, min_size=1, max_size=2, unique=True),
    has_cursor=st.booleans(),
)
def test_a_sound_declaration_is_accepted_with_its_columns(
    words: list[str],
    segments: list[str],
    selector: str,
    others: dict[str, str],
    key: list[str],
    has_cursor: bool,
) -> None:
    columns = {**others, **dict.fromkeys(key, "text"), **({"changed_at": "timestamp"} if has_cursor else {})}
    cursor = "changed_at" if has_cursor else None
    made = declare("_".join(words), "/" + "/".join(segments), selector, columns, tuple(key), cursor)
    found = table_columns(*made, Schema("shop").naming).types
    assert {name: kind for name, kind in found.items() if not name.startswith("_")} == columns


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("name", "Some Thing", "name"),
        ("path", "things", "path"),
        ("path", "/a/{b}", "path"),
        ("columns", {"id": "nonsense"}, "columns"),
        ("key", "number", "primary_key"),
        ("cursor", "nowhere", "cursor 'nowhere'"),
    ],
)
def test_one_thing_wrong_in_a_sound_declaration_is_the_thing_that_is_named(key: str, value: Any, place: str) -> None:
    sound = {"name": "things", "path": "/things", "selector": "data", "columns": {"id": "text"}, "key": "id"}
    declare(**sound, cursor=None)
    with pytest.raises(PlatformAssetsError, match=place):
        declare(**{"cursor": None, **sound, key: value})


def test_every_real_declaration_pages_to_an_end_on_an_empty_answer() -> None:
    assert sum(len(platform.resources) for platform in all_platforms()) == 47
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
