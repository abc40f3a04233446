select
    event_id,
    position as tag_position,
    {{ json_text('element', 'key') }} as tag_key,
    {{ json_text('element', 'value') }} as tag_value,
    is_deleted,
    last_seen_at
from {{ json_elements(ref('stg_error_tracking__events'), 'tags') }} as tags
