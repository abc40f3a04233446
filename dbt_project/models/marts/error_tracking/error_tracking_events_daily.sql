-- Grain: one row per project, issue, release and UTC day with an event. Events without a release have ''.
with events as (
    select
        *,
        {{ utc_date('created_at') }} as event_date
    from {{ ref('stg_error_tracking__events') }}
),

releases as (
    select
        tags.event_id,
        max(tags.tag_value) as release
    from {{ ref('stg_error_tracking__event_tags') }} as tags
    where tags.tag_key = 'release'
    group by tags.event_id
)

select
    events.project_id,
    coalesce(events.issue_id, '') as issue_id,
    coalesce(releases.release, '') as release,
    events.event_date,
    count(*) as events,
    count(distinct events.user_id) as users
from events
left join releases on events.event_id = releases.event_id
group by events.project_id, coalesce(events.issue_id, ''), coalesce(releases.release, ''), events.event_date
