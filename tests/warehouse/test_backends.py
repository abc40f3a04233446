"""Every database that can be the warehouse is in one table, and the setting accepts what is in it."""

import subprocess
import sys

import pytest

from platform_assets.declarations import SettingsError
from platform_assets.warehouse.backends import BACKENDS, configured_backend


@pytest.mark.parametrize("name", BACKENDS)
def test_the_setting_picks_the_backend_of_that_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__DESTINATION", name)
    assert configured_backend().name == name


def test_another_database_is_an_error_that_names_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__DESTINATION", "oracle")
    with pytest.raises(SettingsError) as raised:
        configured_backend()
    assert all(name in str(raised.value) for name in BACKENDS)


def test_no_driver_of_postgres_is_imported_where_the_warehouse_is_duckdb() -> None:
    code = "import sys, platform_assets.warehouse as w; sys.exit('psycopg2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
