select
    key as field_key,
    id as field_id,
    name,
    order_nr,
    field_type,
    options,
    active_flag as is_active,
    mandatory_flag,
    parent_id,
    id_suffix,
    is_subfield,
    _deleted_at is not null or not coalesce(active_flag, true) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'product_fields') }}
