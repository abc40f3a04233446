-- Grain: one row per UTC day and type of activity.
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='activity_date') }}

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
    count(distinct device_id) as devices,
    {{ loaded_checksum() }} as loaded_checksum
from activities
where {{ in_changed_days('activities', 'activity_date', 'activity_date', 'activities') }}
group by activity_date, coalesce(activity_type, '')
