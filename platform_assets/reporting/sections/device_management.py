"""Device management: activities, locations, policies."""

from platform_assets.reporting.axes import Every
from platform_assets.reporting.charts import BAD, NEUTRAL, Bars, Columns, Histogram, Series
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
)

_ACTIVITIES = "marts.device_management_activity_daily"

SECTION = Section(
    "device_management",
    "Is the estate looked after? (device management)",
    "Activities of",
    f'SELECT min(activity_date) AS "first", max(activity_date) AS "last" FROM {_ACTIVITIES}',
    (
        Figure(
            "activities failed in 7 days",
            "{before} in the 7 days before",
            "device_management_activity_daily",
            week("failed_activities", _ACTIVITIES, "activity_date"),
        ),
        Figure(
            "failed share of activities in 7 days",
            "{before} in the 7 days before",
            "device_management_activity_daily",
            share_of_week("failed_activities", "activities", _ACTIVITIES, "activity_date"),
            Unit.SHARE,
        ),
        Figure(
            "severe activities in 7 days",
            "{before} in the 7 days before",
            "device_management_activity_daily",
            week("severe_activities", _ACTIVITIES, "activity_date"),
        ),
        Figure(
            "policies unchanged for a year",
            "or longer",
            "device_management_policy_age",
            "SELECT count(*) FILTER (WHERE days_since_update >= 365) AS value FROM marts.device_management_policy_age",
        ),
    ),
    (
        Chart(
            "Activities by day",
            f"What happened on devices, and what of it failed. {QUARTER}",
            "device_management_activity_daily",
            "SELECT activity_date, sum(activities) - sum(failed_activities) AS others, sum(failed_activities) AS"
            f" failed FROM {_ACTIVITIES} WHERE {quarter('activity_date')} GROUP BY activity_date",
            Columns(
                "activity_date",
                Every.DAY,
                "activities a day",
                (Series("others", "not failed", NEUTRAL), Series("failed", "failed", BAD)),
            ),
            nothing=NONE_THEN,
        ),
        Chart(
            "Locations by organization",
            "The largest organizations.",
            "device_management_estate",
            "SELECT organization_name, locations FROM marts.device_management_estate"
            " ORDER BY locations DESC, organization_name LIMIT 12",
            Bars("organization_name", "organization", "locations", (Series("locations", "locations", NEUTRAL),)),
        ),
        Chart(
            "Days since policies changed",
            "How long policies have not been edited.",
            "device_management_policy_age",
            "SELECT days_since_update FROM marts.device_management_policy_age WHERE days_since_update IS NOT NULL",
            Histogram("days_since_update", "days since the last change", "policies"),
        ),
    ),
)
