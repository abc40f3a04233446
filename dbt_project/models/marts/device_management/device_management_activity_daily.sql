-- Grain: one row per UTC day and type of activity.
with activities as (
    select
        *,
        {{ utc_date('happened_at') }} as activity_date
    from {{ ref('stg_device_management__activities') }}
)

select
    activity_date,
    coalesce(activity_type, '') as activity_type,
    count(*) as activities,
    count(*) filter (where activity_result = 'FAILURE') as failed_activities,
    count(*) filter (where severity in ('MAJOR', 'CRITICAL')) as severe_activities,
    count(distinct device_id) as devices
from activities
group by activity_date, coalesce(activity_type, '')
