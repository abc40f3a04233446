select
    id as lead_label_id,
    name,
    color,
    add_time as added_at,
    update_time as updated_at,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('crm', 'lead_labels') }}
