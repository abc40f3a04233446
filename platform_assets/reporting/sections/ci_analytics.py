"""CI analytics: builds, broken branches, flaky pipelines."""

from platform_assets.reporting.axes import Every
from platform_assets.reporting.charts import BAD, GOOD, SOFT, Bars, Columns, Histogram, Rate, Series, Table
from platform_assets.reporting.sections.section import (
    NONE_THEN,
    QUARTER,
    Chart,
    Figure,
    Section,
    Unit,
    quarter,
    share_of_week,
    week,
    year_of_weeks,
)

_BUILDS = "marts.ci_analytics_build_outcomes_daily"

SECTION = Section(
    "ci_analytics",
    "Can we ship? (CI analytics)",
    "Builds of",
    f'SELECT min(build_date) AS "first", max(build_date) AS "last" FROM {_BUILDS}',
    (
        Figure(
            "broken branches",
            "of a pipeline, without a passed build since",
            "ci_analytics_recoveries",
            "SELECT count(*) AS value FROM marts.ci_analytics_recoveries WHERE recovered_at IS NULL",
        ),
        Figure(
            "longest broken",
            "without a passed build",
            "ci_analytics_recoveries",
            "SELECT min(broken_at) AS value FROM marts.ci_analytics_recoveries WHERE recovered_at IS NULL",
            Unit.AGE,
        ),
        Figure(
            "builds passed in 7 days",
            "of those that passed or failed; {before} in the 7 days before",
            "ci_analytics_build_outcomes_daily",
            share_of_week("passed", "passed + failed", _BUILDS, "build_date"),
            Unit.SHARE,
        ),
        Figure(
            "builds failed in 7 days",
            "{before} in the 7 days before",
            "ci_analytics_build_outcomes_daily",
            week("failed", _BUILDS, "build_date"),
        ),
    ),
    (
        Chart(
            "Builds by day",
            f"Every build by the day on which it was created. {QUARTER}",
            "ci_analytics_build_outcomes_daily",
            "SELECT build_date, sum(passed) AS passed, sum(failed) AS failed,"
            f" sum(builds) - sum(passed) - sum(failed) AS others FROM {_BUILDS}"
            f" WHERE {quarter('build_date')} GROUP BY build_date",
            Columns(
                "build_date",
                Every.DAY,
                "builds a day",
                (
                    Series("passed", "passed", GOOD),
                    Series("failed", "failed", BAD),
                    Series("others", "neither (running, canceled, …)", SOFT),
                ),
            ),
            nothing=NONE_THEN,
        ),
        Chart(
            "Success rate by week",
            "Passed over passed and failed. The last 53 weeks.",
            "ci_analytics_build_outcomes_daily",
            "SELECT date_trunc('week', build_date) AS week, sum(passed) / CAST(nullif(sum(passed) + sum(failed), 0)"
            f" AS double precision) AS success_rate FROM {_BUILDS} WHERE {year_of_weeks('build_date')} GROUP BY 1",
            Rate("week", Every.WEEK, "builds passed, %", "success_rate"),
            nothing=NONE_THEN,
        ),
        Chart(
            "Broken for longest",
            "Branches whose last passed build is older than a failed one.",
            "ci_analytics_recoveries",
            "SELECT coalesce(pipeline_slug, pipeline_id) AS pipeline, branch, broken_at,"
            " {today} - CAST(broken_at AT TIME ZONE 'UTC' AS date) AS days FROM marts.ci_analytics_recoveries"
            " WHERE recovered_at IS NULL ORDER BY broken_at, 1, 2 LIMIT 12",
            Table(
                (
                    ("pipeline", "pipeline"),
                    ("branch", "branch"),
                    ("days", "broken for, days"),
                    ("broken_at", "since (UTC)"),
                )
            ),
            nothing="No branch is broken.",
        ),
        Chart(
            "Most flaky pipelines",
            "Commits on which one build passed and another failed. The largest shares first.",
            "ci_analytics_flaky_pipelines",
            "SELECT coalesce(pipeline_slug, pipeline_id) AS pipeline, flaky_commits, commits - flaky_commits AS"
            " steady_commits FROM marts.ci_analytics_flaky_pipelines WHERE flaky_commits > 0"
            " ORDER BY flaky_rate DESC, flaky_commits DESC, pipeline LIMIT 12",
            Bars(
                "pipeline",
                "pipeline",
                "commits",
                (Series("flaky_commits", "flaky commits", BAD), Series("steady_commits", "other commits", SOFT)),
            ),
            nothing="No flaky commit so far.",
        ),
        Chart(
            "Time from a broken branch to the next passed build",
            "One per break; branches that are still broken do not count.",
            "ci_analytics_recoveries",
            "SELECT seconds_to_recover / 86400.0 AS days FROM marts.ci_analytics_recoveries"
            " WHERE seconds_to_recover IS NOT NULL",
            Histogram("days", "days to recover", "breaks"),
            nothing="No branch has recovered yet.",
        ),
    ),
)
