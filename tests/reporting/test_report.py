"""The report shows the marts, needs no network, and escapes what a platform sends."""

import re
from pathlib import Path

import duckdb
import pytest

from platform_assets.platforms import all_platforms
from platform_assets.reporting import report
from platform_assets.reporting.charts import SECTIONS
from platform_assets.warehouse import WarehouseError

HOSTILE = "</script><img src=x onerror=alert(1)>"


def with_projects(file: Path, name: str) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(
            "CREATE TABLE marts.load_testing_projects_overview AS"
            " SELECT ? AS project_name, 2 AS tests, 1 AS stale_tests, 3 AS runs",
            [name],
        )
        connection.execute(
            "CREATE TABLE marts.platform_health AS SELECT ? AS platform, DATE '2026-01-01' AS sync_date,"
            " 5 AS resources, 1 AS failures, 2 AS requests, 0 AS retries, 1234 AS rows_read, 7 AS rows_loaded,"
            " NULL AS longest_gap_seconds",
            [name],
        )


def test_every_chart_without_rows_shows_a_note(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    page = report()
    assert page.count('class="empty"') == sum(len(section.charts) for section in SECTIONS)
    assert "Plotly.newPlot(" not in page.split("</head>")[1]


def test_charts_of_a_platform_that_is_not_declared_are_left_out(
    warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    duckdb.connect(str(warehouse_file)).close()
    assert "(CRM)" in report()
    left = tuple(platform for platform in all_platforms() if platform.name != "crm")
    monkeypatch.setattr("platform_assets.reporting.page.all_platforms", lambda: left)
    assert "(CRM)" not in report() and "(CI analytics)" in report()


def test_a_missing_warehouse_is_an_error_and_is_not_created(warehouse_file: Path) -> None:
    with pytest.raises(WarehouseError, match=r"there is no warehouse at .*warehouse\.duckdb yet"):
        report()
    assert not warehouse_file.exists()


def test_marts_of_another_version_are_one_clear_error(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    with duckdb.connect(str(warehouse_file)) as connection:
        connection.execute("ALTER TABLE marts.platform_health DROP COLUMN requests")
    with pytest.raises(WarehouseError, match=r"not those of this version \(.*requests.*\)"):
        report()


def test_names_from_a_platform_are_escaped(warehouse_file: Path) -> None:
    with_projects(warehouse_file, HOSTILE)
    body = report().split("</head>")[1]
    assert "<img" not in body
    assert "&lt;img src=x" in body, "the table shows the name"
    assert body.count("Plotly.newPlot(") == 2


def test_the_page_is_self_contained(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    page = report()
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page)
    assert "1,234" in page
