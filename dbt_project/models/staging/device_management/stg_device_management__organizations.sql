select
    id as organization_id,
    name,
    description,
    node_approval_mode,
    user_data,
    tags,
    fields,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'organizations') }}
