select
    entries.deal_id,
    entries.entry_key as field_key,
    fields.name as field_name,
    fields.field_type,
    entries.entry_value as field_value,
    entries.is_deleted,
    entries.last_seen_at
from {{ json_entries(ref('stg_crm__deals'), 'custom_fields') }} as entries
left join {{ ref('stg_crm__deal_fields') }} as fields on entries.entry_key = fields.field_key
