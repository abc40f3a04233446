-- Grain: one row per project, issue, release and UTC day with an event. Events without a release have ''.
with releases as (
    select
        event_id,
        max(tag_value) as release
    from {{ ref('stg_error_tracking__event_tags') }}
    where tag_key = 'release'
    group by event_id
)

select
    events.project_id,
    coalesce(events.issue_id, '') as issue_id,
    coalesce(releases.release, '') as release,
    {{ utc_date('events.created_at') }} as event_date,
    count(*) as events,
    count(distinct events.user_id) as users
from {{ ref('stg_error_tracking__events') }} as events
left join releases on events.event_id = releases.event_id
group by events.project_id, coalesce(events.issue_id, ''), coalesce(releases.release, ''), {{ utc_date('events.created_at') }}
