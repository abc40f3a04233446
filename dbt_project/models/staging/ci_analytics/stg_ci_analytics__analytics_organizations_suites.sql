select
    id as suite_id,
    _organizations_slug as organization_slug,
    organization_id,
    slug,
    name,
    url,
    web_url,
    default_branch,
    application_name,
    color,
    emoji,
    oidc_policy,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('ci_analytics', 'analytics_organizations_suites') }}
