select
    id as role_id,
    parent_role_id,
    name,
    active_flag as is_active,
    cast(nullif(assignment_count, '') as bigint) as assignment_count,
    cast(nullif(sub_role_count, '') as bigint) as sub_role_count,
    level,
    description,
    _deleted_at is not null or not coalesce(active_flag, true) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'roles') }}
