select
    id as currency_id,
    code as currency_code,
    name,
    symbol,
    decimal_points,
    active_flag as is_active,
    is_custom_flag,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'currencies') }}
