select
    id as policy_id,
    parent_policy_id,
    name,
    description,
    node_class,
    node_class_default as is_node_class_default,
    updated as updated_at,
    tags,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'policies') }}
