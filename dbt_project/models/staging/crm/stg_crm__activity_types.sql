select
    id as activity_type_id,
    order_nr,
    name,
    key_string,
    icon_key,
    active_flag as is_active,
    color,
    is_custom_flag,
    add_time as added_at,
    update_time as updated_at,
    _deleted_at is not null or not coalesce(active_flag, true) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'activity_types') }}
