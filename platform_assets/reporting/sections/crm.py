"""CRM: open deals, forecast, win rate, activities."""

from platform_assets.reporting.axes import Every
from platform_assets.reporting.charts import BAD, GOOD, NEUTRAL, Bars, Columns, Panels, Rate, Series
from platform_assets.reporting.sections.section import NONE_THEN, Chart, Figure, Section, Unit, months

SECTION = Section(
    "crm",
    "Will we make the quarter? (CRM)",
    "Deals decided in the months from",
    'SELECT substr(CAST(min(decided_month) AS varchar), 1, 7) AS "first",'
    ' substr(CAST(max(decided_month) AS varchar), 1, 7) AS "last" FROM marts.crm_outcomes_monthly',
    (
        Figure(
            "overdue activities",
            "due before the day of the last build of the model, and not done",
            "crm_activity_by_owner",
            "SELECT sum(overdue_activities) AS value FROM marts.crm_activity_by_owner",
        ),
        Figure(
            "open deals past their month",
            "expected to close in a month that is over",
            "crm_forecast",
            "SELECT coalesce(sum(open_deals) FILTER (WHERE expected_close_month < date_trunc('month', {today})), 0)"
            " AS value FROM marts.crm_forecast",
        ),
        Figure(
            "deals won, this and last month",
            "of those won or lost",
            "crm_outcomes_monthly",
            "SELECT sum(won_deals) / CAST(nullif(sum(won_deals) + sum(lost_deals), 0) AS double precision) AS value"
            " FROM marts.crm_outcomes_monthly WHERE decided_month >= date_trunc('month', {today}) - INTERVAL '1 month'",
            Unit.SHARE,
        ),
    ),
    (
        Chart(
            "Open deals by stage",
            "Value times chance of winning.",
            "crm_pipeline_by_stage",
            "SELECT coalesce(stage_name, 'stage ' || stage_id) AS stage, currency, sum(weighted_value) AS"
            " weighted_value FROM marts.crm_pipeline_by_stage GROUP BY 1, currency, stage_order"
            " ORDER BY stage_order, 1",
            Panels(
                "currency",
                Bars("stage", "stage", "value times chance, {panel}", (Series("weighted_value", "value", NEUTRAL),)),
            ),
        ),
        Chart(
            "Forecast by month",
            "Open deals by the month in which they are expected to close, value times chance. A year back, two ahead.",
            "crm_forecast",
            "SELECT expected_close_month, currency, weighted_value FROM marts.crm_forecast"
            f" WHERE {months('expected_close_month', 12, 24)} ORDER BY 1",
            Panels(
                "currency",
                Columns(
                    "expected_close_month",
                    Every.MONTH,
                    "value times chance a month, {panel}",
                    (Series("weighted_value", "value", NEUTRAL),),
                ),
            ),
            nothing=NONE_THEN,
        ),
        Chart(
            "Win rate by month",
            "Won over won and lost. The last 24 months.",
            "crm_outcomes_monthly",
            "SELECT decided_month, sum(won_deals) / CAST(nullif(sum(won_deals) + sum(lost_deals), 0) AS"
            f" double precision) AS win_rate FROM marts.crm_outcomes_monthly WHERE {months('decided_month', 23, 0)}"
            " GROUP BY decided_month",
            Rate("decided_month", Every.MONTH, "deals won, %", "win_rate"),
            nothing=NONE_THEN,
        ),
        Chart(
            "Activities by owner",
            "Those with the most overdue ones first.",
            "crm_activity_by_owner",
            "SELECT coalesce(u.name, CAST(a.owner_id AS varchar), '-') AS owner, sum(done_activities) AS done,"
            " sum(overdue_activities) AS overdue,"
            " sum(activities) - sum(done_activities) - sum(overdue_activities) AS planned"
            " FROM marts.crm_activity_by_owner AS a LEFT JOIN staging.stg_crm__users AS u ON a.owner_id = u.user_id"
            " GROUP BY a.owner_id, u.name ORDER BY sum(overdue_activities) DESC, a.owner_id LIMIT 12",
            Bars(
                "owner",
                "owner",
                "activities",
                (
                    Series("overdue", "overdue", BAD),
                    Series("planned", "planned", NEUTRAL),
                    Series("done", "done", GOOD),
                ),
            ),
        ),
    ),
)
