"""What a manifest becomes loads the rows that the API has, over HTTP into DuckDB."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.importing.manifest.api import ITEMS, STAMPED, VendorApi
from tests.importing.manifest.cases import CASES, QUERY, Case, option, stream
from tests.importing.manifest.loading import imported, load, manifest_of, plain, settings
from tests.tiers import one_in


@pytest.fixture(scope="module")
def api() -> Iterator[VendorApi]:
    with VendorApi() as found:
        yield found


@pytest.mark.parametrize("name", one_in(12, CASES, slow=1))
def test_rows_are_those_of_the_api(
    name: str, api: VendorApi, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    api.seen.clear()
    api.reports.clear()
    for setting, value in settings().items():
        monkeypatch.setenv(setting, value)
    _, left_out = imported(manifest_of(case, api.url))
    assert left_out == case.not_carried
    expected = {stream: plain(rows) for stream, rows in case.rows.items()}
    assert load(case, api.url, warehouse_file) == expected
    # A second read finds the same, whatever the first has left behind.
    api.reports.clear()
    assert load(case, api.url, warehouse_file) == expected


def _since(path: str, name: str, field: str, form: str) -> dict[str, Any]:
    start = {"type": "MinMaxDatetime", "datetime": "2026-01-01", "datetime_format": "%Y-%m-%d"}
    cursor = {"type": "DatetimeBasedCursor", "cursor_field": field, "datetime_format": form, "start_datetime": start}
    return stream(path, name=name, incremental_sync={**cursor, "start_time_option": option(QUERY, "since")})


def test_a_stream_with_times_in_seconds_beside_others_with_texts_goes_on_from_its_cursor(
    api: VendorApi, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in settings().items():
        monkeypatch.setenv(setting, value)
    texts = [_since("/filtered/since", name, "updated_at", "%Y-%m-%dT%H:%M:%SZ") for name in ("items", "others")]
    rows = [{**one, "stamp": datetime.fromtimestamp(one["stamp"], UTC)} for one in STAMPED]
    streams = [*texts, _since("/filtered/seconds", "stamped", "stamp", "%s")]
    case = Case(streams, {"items": ITEMS, "others": ITEMS, "stamped": rows})
    expected = {name: plain(found) for name, found in case.rows.items()}
    for since in (int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()), max(one["stamp"] for one in STAMPED)):
        before = len(api.targets)
        assert load(case, api.url, warehouse_file) == expected
        assert f"/v1/filtered/seconds?since={since}" in api.targets[before:]
