select
    id as permission_set_id,
    name,
    assignment_count,
    app,
    type as permission_set_type,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'permission_sets') }}
