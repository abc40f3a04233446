select
    uuid as token_id,
    scopes,
    description,
    created_at,
    expires_at,
    "user" as user_details,
    {{ json_text('user', 'name') }} as user_name,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('ci_analytics', 'access_token') }}
