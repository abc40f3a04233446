select
    id as location_id,
    organization_id,
    name,
    address,
    description,
    user_data,
    tags,
    fields,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'locations') }}
