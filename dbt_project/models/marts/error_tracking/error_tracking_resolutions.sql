-- Grain: one row per project and issue level. The API does not say when an issue was resolved, so the time to
-- resolve is the time from its first to its last event.
with issues as (
    select
        project_id,
        level,
        status,
        case
            when status = 'resolved' then {{ seconds_between('first_event_at', 'last_event_at') }}
        end as seconds_to_resolve
    from {{ ref('stg_error_tracking__issues') }}
)

select
    project_id,
    level,
    count(*) as issues,
    count(*) filter (where status = 'resolved') as resolved_issues,
    count(*) filter (where status = 'unresolved') as unresolved_issues,
    {{ percentile('seconds_to_resolve', 0.5) }} as p50_seconds_to_resolve
from issues
group by project_id, level
