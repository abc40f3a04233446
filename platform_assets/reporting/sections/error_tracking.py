"""Error tracking: events, issues, releases."""

from platform_assets.reporting.axes import Every
from platform_assets.reporting.charts import BAD, GOOD, NEUTRAL, SOFT, Bars, Columns, Groups, Series
from platform_assets.reporting.sections.section import NONE_THEN, QUARTER, Chart, Figure, Section, quarter, week

_EVENTS = "marts.error_tracking_events_daily"

SECTION = Section(
    "error_tracking",
    "What is broken for users? (error tracking)",
    "Events of",
    f'SELECT min(event_date) AS "first", max(event_date) AS "last" FROM {_EVENTS}',
    (
        Figure(
            "issues that came back in 7 days",
            "after at least 7 days without an event; {before} in the 7 days before",
            "error_tracking_issues_daily",
            week("regressed_issues", "marts.error_tracking_issues_daily", "event_date"),
        ),
        Figure(
            "new issues in 7 days",
            "{before} in the 7 days before",
            "error_tracking_issues_daily",
            week("new_issues", "marts.error_tracking_issues_daily", "event_date"),
        ),
        Figure(
            "events in 7 days",
            "{before} in the 7 days before",
            "error_tracking_events_daily",
            week("events", _EVENTS, "event_date"),
        ),
        Figure(
            "unresolved issues",
            "of all levels",
            "error_tracking_resolutions",
            "SELECT sum(unresolved_issues) AS value FROM marts.error_tracking_resolutions",
        ),
    ),
    (
        Chart(
            "Events by day and project",
            f"Errors that users ran into. {QUARTER}",
            "error_tracking_events_daily",
            "SELECT event_date, coalesce(p.organization_slug || '/' || p.slug, e.project_id) AS project,"
            f" sum(events) AS events FROM {_EVENTS} AS e"
            " LEFT JOIN staging.stg_error_tracking__projects AS p ON e.project_id = p.project_id"
            f" WHERE {quarter('event_date')} GROUP BY 1, 2",
            Groups("event_date", Every.DAY, "events a day", "events", "project"),
            nothing=NONE_THEN,
        ),
        Chart(
            "New and regressed issues by day",
            f"Regressed: seen again after at least seven days without an event. {QUARTER}",
            "error_tracking_issues_daily",
            "SELECT event_date, sum(new_issues) AS new_issues, sum(regressed_issues) AS regressed_issues"
            f" FROM marts.error_tracking_issues_daily WHERE {quarter('event_date')} GROUP BY event_date",
            Columns(
                "event_date",
                Every.DAY,
                "issues a day",
                (Series("new_issues", "new", NEUTRAL), Series("regressed_issues", "regressed", BAD)),
            ),
            nothing=NONE_THEN,
        ),
        Chart(
            "Releases with the most events a day",
            "From a release's first event to its last.",
            "error_tracking_release_health",
            "SELECT release, max(events_per_day) AS events_per_day FROM marts.error_tracking_release_health"
            " GROUP BY release ORDER BY 2 DESC, 1 LIMIT 12",
            Bars("release", "release", "events a day", (Series("events_per_day", "events a day", BAD),)),
        ),
        Chart(
            "Issues by level",
            "Resolved and not.",
            "error_tracking_resolutions",
            "SELECT coalesce(level, '-') AS level, sum(resolved_issues) AS resolved, sum(unresolved_issues) AS"
            " unresolved, sum(issues) - sum(resolved_issues) - sum(unresolved_issues) AS others"
            " FROM marts.error_tracking_resolutions GROUP BY 1 ORDER BY 1",
            Bars(
                "level",
                "level",
                "issues",
                (
                    Series("unresolved", "unresolved", BAD),
                    Series("resolved", "resolved", GOOD),
                    Series("others", "other", SOFT),
                ),
            ),
        ),
    ),
)
