"""The report's charts: each has a query on the marts and a way to draw its rows.

Queries are plain SQL that both DuckDB and Postgres understand. Amounts of different currencies are never added up.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

Row = dict[str, Any]
Draw = Callable[[Sequence[Row]], go.Figure]


@dataclass(frozen=True)
class Table:
    """Rows as a table; each column's name and its heading."""

    columns: tuple[tuple[str, str], ...]

    def cells(self, rows: Sequence[Row]) -> list[list[str]]:
        """Text of each cell, row by row."""
        return [[_text(row[column]) for column, _ in self.columns] for row in rows]


# Colours of a chart's series; PALETTE is for series whose names are data.
GOOD, BAD, NEUTRAL, SOFT = "#2a9d8f", "#d1495b", "#3d5a80", "#98a8bd"
PALETTE = (NEUTRAL, GOOD, "#e9a03b", BAD, "#7b5ea7", "#5fa8d3", "#8d6a4f", SOFT)


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        note: a sentence below the title on how to read it.
        mart: the table in the schema `marts` that is named as its source.
        query: SQL whose rows are drawn.
        nothing: text if the query has no rows.
    """

    title: str
    note: str
    mart: str
    query: str
    draw: Draw | Table
    nothing: str = "no rows yet"


def lines(x: str, *series: tuple[str, str, str], percent: bool = False) -> Draw:
    """Lines over `x`; a series is a column, its name in the legend and its colour."""

    def draw(rows: Sequence[Row]) -> go.Figure:
        figure = go.Figure(
            [
                go.Scatter(x=_column(rows, x), y=_column(rows, column), name=name, mode="lines", line_color=colour)
                for column, name, colour in series
            ]
        )
        if percent:
            figure.update_yaxes(tickformat=".0%", rangemode="tozero")
        return figure

    return draw


def bars(x: str, *series: tuple[str, str, str], stacked: bool = True, flat: bool = False) -> Draw:
    """Bars over `x`, horizontal if `flat`; a series is a column, its name in the legend and its colour."""

    def draw(rows: Sequence[Row]) -> go.Figure:
        names = _column(rows, x)
        figure = go.Figure()
        for column, name, colour in series:
            values = _column(rows, column)
            across, along = (values, names) if flat else (names, values)
            figure.add_bar(x=across, y=along, name=name, marker_color=colour, orientation="h" if flat else "v")
        figure.update_layout(barmode="stack" if stacked else "group")
        if flat:
            figure.update_yaxes(autorange="reversed", type="category")
        return figure

    return draw


def groups(x: str, y: str, by: str, *, named: bool = False) -> Draw:
    """Stacked bars, a series for each value of `by`; `named` if `x` holds names instead of points in time."""

    def draw(rows: Sequence[Row]) -> go.Figure:
        figure = go.Figure()
        for number, name in enumerate(sorted({str(row[by]) for row in rows})):
            chosen = [row for row in rows if str(row[by]) == name]
            colour = PALETTE[number % len(PALETTE)]
            figure.add_bar(x=_column(chosen, x), y=_column(chosen, y), name=name, marker_color=colour)
        figure.update_layout(barmode="stack", showlegend=True)
        if named:
            figure.update_xaxes(type="category", categoryorder="array", categoryarray=_column(rows, x))
        return figure

    return draw


def histogram(column: str, name: str) -> Draw:
    """How often the values of a column occur."""

    def draw(rows: Sequence[Row]) -> go.Figure:
        figure = go.Figure(go.Histogram(x=_column(rows, column), name=name, marker_color=NEUTRAL, nbinsx=30))
        figure.update_xaxes(title_text=name)
        figure.update_layout(bargap=0.05)
        return figure

    return draw


def _column(rows: Iterable[Row], name: str) -> list[Any]:
    return [float(value) if _is_number(value := row[name]) else value for row in rows]


def _is_number(value: Any) -> bool:
    return value is not None and hasattr(value, "__float__") and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{float(value):,.10g}" if _is_number(value) else str(value)


@dataclass(frozen=True)
class Section:
    """Charts under a heading; left out if its platform is not declared."""

    title: str
    charts: tuple[Chart, ...]
    platform: str | None = None


SECTIONS: tuple[Section, ...] = (
    Section(
        "Is the platforms' data fresh?",
        (
            Chart(
                "Syncs by platform and day",
                "What each platform's syncs did. A gap is the longest time between two good syncs of one resource.",
                "platform_health",
                "SELECT platform, sync_date, resources, failures, requests, retries, rows_read, rows_loaded,"
                " longest_gap_seconds FROM marts.platform_health ORDER BY sync_date DESC, platform LIMIT 35",
                Table(
                    (
                        ("platform", "platform"),
                        ("sync_date", "day"),
                        ("resources", "resources"),
                        ("failures", "failures"),
                        ("requests", "requests"),
                        ("retries", "retries"),
                        ("rows_read", "rows read"),
                        ("rows_loaded", "new or changed"),
                        ("longest_gap_seconds", "longest gap, s"),
                    )
                ),
            ),
        ),
    ),
    Section(
        "Can we ship? (CI analytics)",
        (
            Chart(
                "Builds by day",
                "Every build by the day on which it was created.",
                "ci_analytics_build_outcomes_daily",
                "SELECT build_date, sum(passed) AS passed, sum(failed) AS failed,"
                " sum(builds) - sum(passed) - sum(failed) AS others"
                " FROM marts.ci_analytics_build_outcomes_daily GROUP BY build_date ORDER BY build_date",
                bars(
                    "build_date",
                    ("passed", "passed", GOOD),
                    ("failed", "failed", BAD),
                    ("others", "neither (running, canceled, …)", SOFT),
                ),
            ),
            Chart(
                "Success rate by week",
                "Passed over passed and failed.",
                "ci_analytics_build_outcomes_daily",
                "SELECT date_trunc('week', build_date) AS week, sum(passed) / CAST(nullif(sum(passed) + sum(failed), 0)"
                " AS double precision) AS success_rate FROM marts.ci_analytics_build_outcomes_daily"
                " GROUP BY 1 ORDER BY 1",
                lines("week", ("success_rate", "success rate", GOOD), percent=True),
            ),
            Chart(
                "Most flaky pipelines",
                "Commits on which one build passed and another failed.",
                "ci_analytics_flaky_pipelines",
                "SELECT coalesce(pipeline_slug, pipeline_id) AS pipeline, flaky_commits, commits - flaky_commits AS"
                " steady_commits FROM marts.ci_analytics_flaky_pipelines WHERE flaky_commits > 0"
                " ORDER BY flaky_rate DESC, flaky_commits DESC, pipeline LIMIT 12",
                bars(
                    "pipeline",
                    ("flaky_commits", "flaky commits", BAD),
                    ("steady_commits", "other commits", SOFT),
                    flat=True,
                ),
                nothing="no flaky commit so far",
            ),
            Chart(
                "Hours from a broken branch to the next passed build",
                "One per break; branches that are still broken do not count.",
                "ci_analytics_recoveries",
                "SELECT seconds_to_recover / 3600.0 AS hours FROM marts.ci_analytics_recoveries"
                " WHERE seconds_to_recover IS NOT NULL",
                histogram("hours", "hours to recover"),
            ),
        ),
        "ci_analytics",
    ),
    Section(
        "What is broken for users? (error tracking)",
        (
            Chart(
                "Events by day and project",
                "Errors that users ran into.",
                "error_tracking_events_daily",
                "SELECT event_date, coalesce(p.slug, e.project_id) AS project, sum(events) AS events"
                " FROM marts.error_tracking_events_daily AS e"
                " LEFT JOIN staging.stg_error_tracking__projects AS p ON e.project_id = p.project_id"
                " GROUP BY 1, 2 ORDER BY 1",
                groups("event_date", "events", "project"),
            ),
            Chart(
                "New and regressed issues by day",
                "Regressed: seen again after at least seven days without an event.",
                "error_tracking_issues_daily",
                "SELECT event_date, sum(new_issues) AS new_issues, sum(regressed_issues) AS regressed_issues"
                " FROM marts.error_tracking_issues_daily GROUP BY event_date ORDER BY event_date",
                bars("event_date", ("new_issues", "new", NEUTRAL), ("regressed_issues", "regressed", BAD)),
            ),
            Chart(
                "Releases with the most events a day",
                "From a release's first event to its last.",
                "error_tracking_release_health",
                "SELECT release, max(events_per_day) AS events_per_day FROM marts.error_tracking_release_health"
                " GROUP BY release ORDER BY 2 DESC, 1 LIMIT 12",
                bars("release", ("events_per_day", "events a day", BAD), flat=True),
            ),
            Chart(
                "Issues by level",
                "Resolved and not.",
                "error_tracking_resolutions",
                "SELECT level, sum(resolved_issues) AS resolved, sum(unresolved_issues) AS unresolved,"
                " sum(issues) - sum(resolved_issues) - sum(unresolved_issues) AS others"
                " FROM marts.error_tracking_resolutions GROUP BY level ORDER BY level",
                bars(
                    "level",
                    ("resolved", "resolved", GOOD),
                    ("unresolved", "unresolved", BAD),
                    ("others", "other", SOFT),
                ),
            ),
        ),
        "error_tracking",
    ),
    Section(
        "Do we test under load? (load testing)",
        (
            Chart(
                "Tests by project",
                "Stale: not changed for 90 days.",
                "load_testing_projects_overview",
                "SELECT project_name, stale_tests, tests - stale_tests AS fresh_tests"
                " FROM marts.load_testing_projects_overview WHERE tests > 0 ORDER BY tests DESC, project_name LIMIT 15",
                bars("project_name", ("fresh_tests", "fresh", GOOD), ("stale_tests", "stale", SOFT), flat=True),
            ),
            Chart(
                "Runs by project",
                "Runs that the tests still list.",
                "load_testing_projects_overview",
                "SELECT project_name, runs FROM marts.load_testing_projects_overview WHERE runs > 0"
                " ORDER BY runs DESC, project_name LIMIT 15",
                bars("project_name", ("runs", "runs", NEUTRAL), flat=True),
            ),
        ),
        "load_testing",
    ),
    Section(
        "Is the estate looked after? (device management)",
        (
            Chart(
                "Activities by day",
                "What happened on devices, and what of it failed.",
                "device_management_activity_daily",
                "SELECT activity_date, sum(activities) - sum(failed_activities) AS others, sum(failed_activities) AS"
                " failed FROM marts.device_management_activity_daily GROUP BY activity_date ORDER BY activity_date",
                bars("activity_date", ("others", "not failed", NEUTRAL), ("failed", "failed", BAD)),
            ),
            Chart(
                "Locations by organization",
                "The largest organizations.",
                "device_management_estate",
                "SELECT organization_name, locations FROM marts.device_management_estate"
                " ORDER BY locations DESC, organization_name LIMIT 15",
                bars("organization_name", ("locations", "locations", NEUTRAL), flat=True),
            ),
            Chart(
                "Days since policies changed",
                "How long policies have not been edited.",
                "device_management_policy_age",
                "SELECT days_since_update FROM marts.device_management_policy_age WHERE days_since_update IS NOT NULL",
                histogram("days_since_update", "days since the last change"),
            ),
        ),
        "device_management",
    ),
    Section(
        "Will we make the quarter? (CRM)",
        (
            Chart(
                "Open deals by stage",
                "Value times chance of winning, per currency.",
                "crm_pipeline_by_stage",
                "SELECT coalesce(stage_name, 'stage ' || stage_id) AS stage, currency, sum(weighted_value) AS"
                " weighted_value FROM marts.crm_pipeline_by_stage GROUP BY 1, currency, stage_order"
                " ORDER BY stage_order, 1",
                groups("stage", "weighted_value", "currency", named=True),
            ),
            Chart(
                "Forecast by month",
                "Open deals by the month in which they are expected to close, value times chance, per currency.",
                "crm_forecast",
                "SELECT substr(CAST(expected_close_month AS varchar), 1, 7) AS close_month, currency, weighted_value"
                " FROM marts.crm_forecast WHERE expected_close_month IS NOT NULL ORDER BY 1",
                groups("close_month", "weighted_value", "currency", named=True),
            ),
            Chart(
                "Win rate by month",
                "Won over won and lost.",
                "crm_outcomes_monthly",
                "SELECT decided_month, sum(won_deals) / CAST(nullif(sum(won_deals) + sum(lost_deals), 0) AS"
                " double precision) AS win_rate FROM marts.crm_outcomes_monthly GROUP BY decided_month"
                " ORDER BY decided_month",
                lines("decided_month", ("win_rate", "win rate", GOOD), percent=True),
            ),
            Chart(
                "Activities by owner",
                "Planned and done; overdue ones are neither.",
                "crm_activity_by_owner",
                "SELECT coalesce(u.name, CAST(a.owner_id AS varchar)) AS owner, sum(done_activities) AS done,"
                " sum(overdue_activities) AS overdue,"
                " sum(activities) - sum(done_activities) - sum(overdue_activities) AS planned"
                " FROM marts.crm_activity_by_owner AS a LEFT JOIN staging.stg_crm__users AS u ON a.owner_id = u.user_id"
                " GROUP BY a.owner_id, u.name ORDER BY sum(activities) DESC, a.owner_id LIMIT 15",
                bars(
                    "owner",
                    ("done", "done", GOOD),
                    ("planned", "planned", NEUTRAL),
                    ("overdue", "overdue", BAD),
                    flat=True,
                ),
            ),
        ),
        "crm",
    ),
)
