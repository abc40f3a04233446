"""The report says first what needs somebody, shows the marts, needs no network, and escapes what a platform sends."""

import itertools
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from platform_assets.counted import counted
from platform_assets.platforms import all_platforms
from platform_assets.reporting.page import report
from platform_assets.reporting.sections import SECTIONS
from platform_assets.warehouse import WarehouseError, state

HOSTILE = "</script><img src=x onerror=alert(1)>"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
TYPES = {"text": "VARCHAR", "timestamp": "TIMESTAMPTZ", "bigint": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}


class Page(HTMLParser):
    """Start tags of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def execute(file: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement, list(values) if "?" in statement else [])


def loaded(file: Path, platform: str, **resources: datetime) -> None:
    """Record in the log that resources were loaded at some moments."""
    columns = ", ".join(f"{name} {TYPES[kind]}" for name, kind in state.LOG_COLUMNS)
    execute(file, f"CREATE SCHEMA IF NOT EXISTS {platform}", f"CREATE TABLE {platform}._sync_log ({columns})")
    for resource, moment in resources.items():
        execute(
            file,
            f"INSERT INTO {platform}._sync_log VALUES ('{resource}', ?, ?, 'ok', NULL, 1, 0, 0, 2, 0, 0, 1234, 7, 0)",
            values=(moment, moment),
        )


def failed(file: Path, platform: str, resource: str, error: str) -> None:
    columns = ", ".join(f"{name} {TYPES[kind]}" for name, kind in state.COLUMNS)
    execute(
        file,
        f"CREATE TABLE {platform}._sync_state ({columns})",
        f"INSERT INTO {platform}._sync_state (resource, parent, partition_key, status, error, rows_read, rows_loaded)"
        f" VALUES ('{resource}', '', '', 'failed', ?, 0, 0)",
        values=(error,),
    )


def with_projects(file: Path, name: str) -> None:
    execute(
        file,
        "CREATE SCHEMA marts",
        "CREATE TABLE marts.load_testing_projects_overview AS SELECT ? AS project_name, 2 AS tests, 1 AS stale_tests,"
        " 3 AS runs, 1 AS tests_never_run, TIMESTAMPTZ '2026-01-14 10:00:00+00' AS last_test_change_at",
        values=(name,),
    )
    loaded(file, "load_testing", tests=NOW - timedelta(minutes=5), projects=NOW - timedelta(hours=3))


def with_crm(file: Path) -> None:
    execute(
        file,
        "CREATE SCHEMA marts",
        "CREATE TABLE marts.crm_forecast AS SELECT * FROM (VALUES ('EUR', DATE '2026-02-01', 1, 100.0),"
        " ('EUR', DATE '2026-05-01', 2, 300.0), ('USD', DATE '2026-03-01', 1, 7.0))"
        " AS t (currency, expected_close_month, open_deals, weighted_value)",
    )
    loaded(file, "crm", deals=NOW - timedelta(minutes=5))


def needing_somebody(page: str) -> list[list[str]]:
    """The cells of what somebody must act on, without the tags that say where a name may break."""
    found = page.split("<h3>What needs somebody</h3>")[1].split("</figure>")[0]
    rows = re.findall(r'<tr role="row" data-platform=\w+>(.*?)</tr>', found)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", re.sub("<wbr>|</?span[^>]*>", "", row)) for row in rows]


def section(page: str, name: str) -> str:
    return page.split(f'<section data-platform="{name}"')[1].split("</section>")[0]


def test_a_warehouse_without_tables_says_which_commands_load_them(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    page = report(NOW)
    for one in SECTIONS:
        assert f"No tables yet: <code>platform-assets sync --platform {one.platform}</code> loads them." in page
    assert "<svg" not in page
    assert [row[:2] for row in needing_somebody(page)] == [
        ["never loaded", f"{platform.name}: {counted(len(platform.resources), 'asset')}"]
        for platform in all_platforms()
    ], "also those that wait for another one: a sync of the platform loads both"


def test_a_user_of_one_platform_has_a_whole_report(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    page = report(NOW)
    assert section(page, "load_testing").count('<svg role="img"') == 2
    assert "<code>platform-assets sync --platform crm</code> loads them" in section(page, "crm")
    assert page.count("data-platform=crm>") == 1, "of what nothing was ever read, only the age of its data"
    assert '<dt>never loaded</dt><dd class="value">1</dd>' in page
    order = re.findall(r'<section data-platform="(\w+)"', page)
    assert order[0] == "load_testing" and len(order) == 5
    assert ">2026-01-15</span></td>" in page and "2,468" in page, "the syncs are read from the platform's own log"


def test_a_mart_that_was_not_built_says_which_command_builds_it(warehouse_file: Path) -> None:
    loaded(warehouse_file, "crm", deals=NOW)
    command = "<code>platform-assets sync --platform crm</code>"
    words = f"<code>marts.crm_forecast</code> is not built yet: {command} builds it"
    assert words in section(report(NOW), "crm")


def test_what_failed_and_what_is_stale_comes_first_with_its_age(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    loaded(warehouse_file, "crm", deals=NOW - timedelta(days=9), leads=NOW - timedelta(minutes=2), roles=NOW)
    failed(warehouse_file, "crm", "roles", f"403 {HOSTILE}")
    page = report(NOW)
    first, *others = needing_somebody(page)
    assert first[:2] == ["failed", "crm/roles"] and first[3].startswith("403 &lt;/script&gt;")
    allowed = "more than the 2 h that are allowed"
    assert ["stale", "crm/deals", "9 d ago", allowed, "platform-assets sync --select crm/deals"] in others
    assert not any("crm/leads" in row for row in others)
    assert '<div class="bad"><dt>oldest data</dt><dd class="value">9 d ago</dd><dd class="more">crm/deals</dd>' in page


def test_what_waits_for_an_asset_that_failed_is_not_said_to_need_a_sync(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    execute(warehouse_file, "CREATE SCHEMA load_testing")
    failed(warehouse_file, "load_testing", "organizations", "403")
    rows = needing_somebody(report(NOW))
    assert [row[:2] for row in rows] == [
        ["failed", "load_testing/organizations"],
        ["waiting", "load_testing/projects"],
        ["never loaded", "load_testing: 1 asset"],
    ]


def test_many_assets_with_the_same_problem_are_one_row(warehouse_file: Path) -> None:
    crm = next(platform for platform in all_platforms() if platform.name == "crm")
    old = {one.name: NOW - timedelta(days=9 + number) for number, one in enumerate(crm.resources)}
    duckdb.connect(str(warehouse_file)).close()
    loaded(warehouse_file, "crm", **old)
    rows = needing_somebody(report(NOW))
    assert len(rows) == 2 and {row[0] for row in rows} == {"stale"}
    assert {row[4] for row in rows} == {"platform-assets sync --platform crm"}
    assert sum(int(row[1].split()[1]) for row in rows) == len(old)


def test_what_somebody_must_see_does_not_scroll_out_of_sight(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    text = report(NOW)
    high = [one for one in Page(text).all("div") if one.get("class") == "rows high"]
    assert [one["aria-label"] for one in high] == ["Syncs by day"]
    limited = re.findall(r"([^{}]*)\{ max-height: 340px", text)
    assert [rule.strip().split("\n")[-1] for rule in limited] == [".rows.high, details .rows"]


def test_a_table_says_so_if_the_filter_hides_all_of_its_rows(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    page = report(NOW)
    tables = re.findall(r'<table[^>]* class=stack>.*?</table></div>(<div class="empty" data-instead hidden>)?', page)
    assert len(tables) == 3 and all(tables)


def test_amounts_stand_below_each_other_and_days_do_not_break(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    page = report(NOW)
    syncs = page.split("<h3>Syncs by day</h3>")[1].split("</figure>")[0]
    heads = re.findall(r"<th scope=\"col\" role=\"columnheader\"( class=amount)?>([^<]+)", syncs)
    assert [name for kind, name in heads if not kind] == ["platform", "day (UTC)"]
    assert '<td role="cell" data-heading="rows read" class=amount>2,468</td>' in syncs
    assert "<span class=day>2026-01-15</span>" in syncs
    assert "<code><span class=name>marts.<wbr>load_<wbr>testing_<wbr>projects_<wbr>overview</span></code>" in page


def test_paper_has_the_colours_of_the_keys_and_is_white(warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    page = report(NOW)
    assert "print-color-adjust: exact" in page.split("@media print")[1]
    assert page.count("prefers-color-scheme: dark") == page.count("@media screen and (prefers-color-scheme: dark)") == 1


def test_years_of_days_are_cut_to_what_can_be_seen(warehouse_file: Path) -> None:
    execute(
        warehouse_file,
        "CREATE SCHEMA marts",
        "CREATE TABLE marts.ci_analytics_build_outcomes_daily AS SELECT 'p' AS pipeline_id, 3 AS builds, 2 AS passed,"
        " 1 AS failed, CAST(day AS DATE) AS build_date"
        " FROM (SELECT unnest(generate_series(DATE '2020-01-01', DATE '2026-02-01', INTERVAL 1 DAY)) AS day)",
    )
    loaded(warehouse_file, "ci_analytics", builds=NOW)
    builds = section(report(NOW), "ci_analytics")
    assert "Builds of 2020-01-01 to 2026-02-01." in builds and "<g class=dense>" in builds
    assert "day (UTC), 2025-10-18 to 2026-01-15<" in builds and "week (UTC), 2025-01-13 to 2026-01-12<" in builds


def test_a_mistyped_month_does_not_stretch_the_forecast(warehouse_file: Path) -> None:
    with_crm(warehouse_file)
    execute(warehouse_file, "INSERT INTO marts.crm_forecast VALUES ('EUR', DATE '2099-01-01', 1, 5.0)")
    assert "month, 2026-02 to 2026-05<" in section(report(NOW), "crm")


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
    execute(warehouse_file, "ALTER TABLE marts.load_testing_projects_overview DROP COLUMN runs")
    with pytest.raises(WarehouseError, match=r"not those of this version \(.*runs.*\)"):
        report()


def test_names_from_a_platform_are_escaped(warehouse_file: Path) -> None:
    with_projects(warehouse_file, HOSTILE)
    page = report(NOW)
    assert "<img" not in page and page.count("</script>") == 1
    assert "&lt;img src=x" in section(page, "load_testing"), "the table of the values shows the name"


def test_the_page_is_self_contained(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    page = report(NOW)
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=", page)
    assert not re.search(r"url\(|@import|https?://", page)


def test_currencies_have_a_chart_each(warehouse_file: Path) -> None:
    with_crm(warehouse_file)
    crm = section(report(NOW), "crm")
    assert re.findall(r"<h3>(Forecast by month[^<]*)</h3>", crm) == ["Forecast by month, EUR", "Forecast by month, USD"]
    assert "value times chance a month, EUR" in crm and "value times chance a month, USD" in crm
    assert "407" not in crm, "100 + 300 + 7"


def test_months_without_a_deal_stay_on_the_axis(warehouse_file: Path) -> None:
    with_crm(warehouse_file)
    euros = section(report(NOW), "crm").split("Forecast by month, EUR</h3>")[1].split("</figure>")[0]
    assert re.findall(r">([A-Z]\w\w)</text>", euros) == ["Feb", "Mar", "Apr", "May"]
    assert "month, 2026-02 to 2026-05" in euros and ">2026-04</th>" in euros


def test_more_projects_than_colours_are_the_largest_and_the_others(warehouse_file: Path) -> None:
    execute(
        warehouse_file,
        "CREATE SCHEMA marts",
        "CREATE SCHEMA staging",
        "CREATE TABLE staging.stg_error_tracking__projects"
        " (project_id VARCHAR, slug VARCHAR, organization_slug VARCHAR)",
        "CREATE TABLE marts.error_tracking_events_daily AS SELECT 'p' || n AS project_id, 100 - n AS events,"
        " DATE '2026-01-10' AS event_date FROM range(10) AS t (n)",
    )
    loaded(warehouse_file, "error_tracking", events=NOW)
    figure = section(report(NOW), "error_tracking").split("Events by day and project</h3>")[1].split("</figure>")[0]
    names = re.findall(r'<span class="key (\w+)"></span>([^<]+)', figure)
    assert [name for _, name in names] == ["p0", "p1", "p2", "p3", "p4", "other (5)"]
    assert len({colour for colour, _ in names}) == 6
    assert f">{sum(100 - n for n in range(5, 10))}</td>" in figure


def test_who_does_not_see_it_or_has_no_mouse_can_use_it(warehouse_file: Path) -> None:
    with_projects(warehouse_file, "web")
    text = report(NOW)
    page = Page(text)
    pictures = [one for one in page.all("svg") if "viewbox" not in one]
    assert pictures and all(one["role"] == "img" and len(one["aria-label"] or "") > 40 for one in pictures)
    assert text.count('<text class="title"') >= len(pictures)
    assert all(one["scope"] in ("col", "row") for one in page.all("th"))
    assert page.all("a")[0] == {"class": "skip", "href": "#report"} and {"id": "report", "tabindex": "-1"} in page.all(
        "main"
    )
    assert all(
        one.get("tabindex") == "0" and one.get("aria-label") for one in page.all("div") if one.get("class") == "rows"
    )
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.all("html") == [{"lang": "en"}] and ":focus-visible" in text


def test_without_scripts_everything_is_shown(warehouse_file: Path) -> None:
    """Hidden are the filter, which does nothing then, and what it shows: figures of a platform, and "nothing"."""
    with_projects(warehouse_file, "web")
    page = Page(report(NOW))
    hidden = [(tag, one) for tag, one in page.tags if "hidden" in one and "data-instead" not in one]
    assert {attributes.get("id") or attributes.get("data-figures-of") for _, attributes in hidden} == {
        "filter",
        *(platform.name for platform in all_platforms()),
    }
    assert [one["value"] for one in page.all("input")] == ["all", *(platform.name for platform in all_platforms())]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_have_the_contrast_of_wcag_aa(dark: bool, warehouse_file: Path) -> None:
    duckdb.connect(str(warehouse_file)).close()
    schemes = re.findall(r":root \{(.*?)\}", report(NOW), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", schemes[int(dark)]))
    for ground in ("page", "card"):
        for text in ("text", "quiet", "link", "bad"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for mark in ("good", "bad", "neutral", "soft", "s1", "s2", "s3", "s4", "s5", "s6", "focus"):
        assert contrast(colours[mark], colours["card"]) >= 3, mark


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_figures_of_a_week_compare_it_with_the_week_before(warehouse_file: Path) -> None:
    execute(
        warehouse_file,
        "CREATE SCHEMA marts",
        "CREATE TABLE marts.ci_analytics_build_outcomes_daily"
        " (pipeline_id VARCHAR, build_date DATE, builds BIGINT, passed BIGINT, failed BIGINT)",
    )
    for day, passed, broken in ((date(2026, 1, 15), 3, 1), (date(2026, 1, 9), 0, 1), (date(2026, 1, 8), 9, 4)):
        execute(
            warehouse_file,
            "INSERT INTO marts.ci_analytics_build_outcomes_daily VALUES ('p', ?, 99, ?, ?)",
            values=(day, passed, broken),
        )
    loaded(warehouse_file, "ci_analytics", builds=NOW)
    page = section(report(NOW), "ci_analytics")
    assert "Builds of 2026-01-08 to 2026-01-15." in page
    figure = '<dt>builds failed in 7 days</dt><dd class="value">2</dd><dd class="more">4 in the 7 days before</dd>'
    assert figure in page
    assert '<dd class="value">60%</dd><dd class="more">of those that passed or failed; 69% in' in page
