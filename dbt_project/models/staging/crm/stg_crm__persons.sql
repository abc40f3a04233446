select
    id as person_id,
    name,
    first_name,
    last_name,
    owner_id,
    org_id as organization_id,
    add_time as added_at,
    update_time as updated_at,
    emails,
    phones,
    visible_to,
    label_ids,
    picture_id,
    custom_fields,
    coalesce(is_deleted, false) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'persons') }}
