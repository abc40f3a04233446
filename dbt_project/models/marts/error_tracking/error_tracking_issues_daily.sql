-- Grain: one row per project and UTC day with an event of an issue.
-- New: the day of the issue's first event. Regressed: an event after at least seven days without one.
with days as (
    select distinct
        project_id,
        issue_id,
        event_date
    from {{ ref('error_tracking_events_daily') }}
    where issue_id <> ''
),

gaps as (
    select
        project_id,
        issue_id,
        event_date,
        lag(event_date) over (partition by project_id, issue_id order by event_date) as previous_date
    from days
)

select
    project_id,
    event_date,
    count(*) as active_issues,
    count(*) filter (where previous_date is null) as new_issues,
    count(*) filter (where event_date - previous_date >= 7) as regressed_issues
from gaps
group by project_id, event_date
