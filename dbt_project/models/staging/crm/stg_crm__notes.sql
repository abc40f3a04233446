select
    id as note_id,
    user_id,
    deal_id,
    person_id,
    org_id as organization_id,
    lead_id,
    content,
    add_time as added_at,
    update_time as updated_at,
    active_flag as is_active,
    pinned_to_deal_flag as is_pinned_to_deal,
    organization,
    "user" as user_details,
    not coalesce(active_flag, true) as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'notes') }}
