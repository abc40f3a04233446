select
    id as organization_id,
    name,
    owner_id,
    add_time as added_at,
    update_time as updated_at,
    visible_to,
    address,
    label_ids,
    nullif(website, '') as website,
    nullif(industry, '') as industry,
    annual_revenue,
    employee_count,
    custom_fields,
    {{ json_text('address', 'value') }} as address_line,
    {{ json_text('address', 'country') }} as country,
    _deleted_at is not null or coalesce(is_deleted, false) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'organizations') }}
