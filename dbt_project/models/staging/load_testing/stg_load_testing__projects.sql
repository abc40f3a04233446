select
    id as project_id,
    name,
    description,
    organization_id,
    created as created_at,
    updated as updated_at,
    is_default,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('load_testing', 'projects') }}
