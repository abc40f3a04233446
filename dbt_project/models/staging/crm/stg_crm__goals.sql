select
    id as goal_id,
    owner_id,
    title,
    type as goal_settings,
    assignee,
    "interval" as goal_interval,
    duration,
    expected_outcome,
    is_active,
    report_ids,
    {{ json_text('type', 'name') }} as goal_type,
    cast({{ json_text('expected_outcome', 'target') }} as double precision) as target,
    {{ json_text('expected_outcome', 'tracking_metric') }} as tracking_metric,
    {{ json_text('duration', 'start') }} as starts_on,
    {{ json_text('duration', 'end') }} as ends_on,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'goals') }}
