select
    id as role_id,
    name,
    description,
    node_class,
    custom as is_custom,
    chassis_type,
    created as created_at,
    tags,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'roles') }}
