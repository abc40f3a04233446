select
    id as filter_id,
    name,
    active_flag as is_active,
    type as filter_type,
    temporary_flag as is_temporary,
    user_id,
    add_time as added_at,
    update_time as updated_at,
    visible_to,
    custom_view_id,
    not coalesce(active_flag, true) or _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'filters') }}
