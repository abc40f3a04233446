select
    id as pipeline_id,
    name,
    order_nr,
    is_deal_probability_enabled,
    add_time as added_at,
    update_time as updated_at,
    coalesce(is_deleted, false) or _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'pipelines') }}
