"""What a manifest becomes loads the rows that the API has, over HTTP into DuckDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.importing.manifest.api import VendorApi
from tests.importing.manifest.cases import CASES
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
    for setting, value in settings().items():
        monkeypatch.setenv(setting, value)
    _, left_out = imported(manifest_of(case, api.url))
    assert left_out == case.not_carried
    expected = {stream: plain(rows) for stream, rows in case.rows.items()}
    assert load(case, api.url, warehouse_file) == expected
    # A second read finds the same, whatever the first has left behind.
    assert load(case, api.url, warehouse_file) == expected
