select
    id as stage_id,
    order_nr,
    name,
    deal_probability,
    pipeline_id,
    is_deal_rot_enabled,
    days_to_rotten,
    add_time as added_at,
    update_time as updated_at,
    coalesce(is_deleted, false) or _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'stages') }}
