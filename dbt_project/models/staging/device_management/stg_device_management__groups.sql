select
    id as group_id,
    name,
    description,
    shared as is_shared,
    created as created_at,
    updated as updated_at,
    device_count,
    last_evaluated as last_evaluated_at,
    tags,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'groups') }}
