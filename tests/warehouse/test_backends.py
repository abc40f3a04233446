"""Every database that can be the warehouse is in one table, and the setting accepts exactly those."""

import subprocess
import sys

import pytest

from platform_assets.declarations import SettingsError
from platform_assets.warehouse.backends import BACKENDS, configured_backend


@pytest.mark.parametrize("name", BACKENDS)
def test_the_setting_selects_the_backend_of_that_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__DESTINATION", name)
    assert configured_backend().name == name


def test_an_unknown_database_is_an_error_that_lists_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__DESTINATION", "oracle")
    with pytest.raises(SettingsError) as raised:
        configured_backend()
    assert all(name in str(raised.value) for name in BACKENDS)


def test_no_postgres_driver_is_imported_for_a_duckdb_warehouse() -> None:
    code = "import sys, platform_assets.warehouse as w; sys.exit('psycopg2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
