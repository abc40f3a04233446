-- Grain: one row per project and release with an event.
select
    project_id,
    release,
    cast(sum(events) as bigint) as events,
    count(distinct issue_id) as issues,
    min(event_date) as first_event_date,
    max(event_date) as last_event_date,
    sum(events) / cast(max(event_date) - min(event_date) + 1 as double precision) as events_per_day
from {{ ref('error_tracking_events_daily') }}
where release <> ''
group by project_id, release
