select
    id as script_id,
    name,
    description,
    active as is_active,
    language,
    architecture,
    operating_systems,
    script_parameters,
    script_variables,
    created_on as created_at,
    updated_on as updated_at,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'automation_scripts') }}
