-- Grain: one row per owner and type of activity.
select
    owner_id,
    coalesce(activity_type_key, '') as activity_type_key,
    count(*) as activities,
    count(*) filter (where is_done) as done_activities,
    count(*) filter (where not is_done and due_date < {{ utc_date(as_of()) }}) as overdue_activities
from {{ ref('stg_crm__activities') }}
where not is_deleted
group by owner_id, coalesce(activity_type_key, '')
