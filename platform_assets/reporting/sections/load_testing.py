"""Load testing: tests and runs of projects."""

from platform_assets.reporting.charts import GOOD, NEUTRAL, SOFT, Bars, Series
from platform_assets.reporting.sections.section import Chart, Figure, Section

SECTION = Section(
    "load_testing",
    "Do we test under load? (load testing)",
    "Tests changed",
    'SELECT CAST(NULL AS date) AS "first",'
    " CAST(max(last_test_change_at) AT TIME ZONE 'UTC' AS date) AS \"last\" FROM marts.load_testing_projects_overview",
    (
        Figure(
            "projects without a test",
            "of all that are still there",
            "load_testing_projects_overview",
            "SELECT count(*) FILTER (WHERE tests = 0) AS value FROM marts.load_testing_projects_overview",
        ),
        Figure(
            "tests that never ran",
            "no run is listed",
            "load_testing_projects_overview",
            "SELECT sum(tests_never_run) AS value FROM marts.load_testing_projects_overview",
        ),
        Figure(
            "stale tests",
            "not changed for 90 days",
            "load_testing_projects_overview",
            "SELECT sum(stale_tests) AS value FROM marts.load_testing_projects_overview",
        ),
    ),
    (
        Chart(
            "Tests by project",
            "Stale: not changed for 90 days. The projects with the most tests.",
            "load_testing_projects_overview",
            "SELECT project_name, stale_tests, tests - stale_tests AS fresh_tests"
            " FROM marts.load_testing_projects_overview WHERE tests > 0 ORDER BY tests DESC, project_name LIMIT 12",
            Bars(
                "project_name",
                "project",
                "tests",
                (Series("fresh_tests", "fresh", GOOD), Series("stale_tests", "stale", SOFT)),
            ),
        ),
        Chart(
            "Runs by project",
            "Runs that the tests still list. The projects with the most runs.",
            "load_testing_projects_overview",
            "SELECT project_name, runs FROM marts.load_testing_projects_overview WHERE runs > 0"
            " ORDER BY runs DESC, project_name LIMIT 12",
            Bars("project_name", "project", "runs", (Series("runs", "runs", NEUTRAL),)),
        ),
    ),
)
