select
    id as organization_id,
    url,
    web_url,
    name,
    slug,
    pipelines_url,
    agents_url,
    emojis_url,
    created_at,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('ci_analytics', 'organizations') }}
