select
    id as organization_id,
    name,
    owner_id,
    description,
    billing_address,
    billing_country,
    billing_email,
    vat_number,
    created as created_at,
    updated as updated_at,
    is_default,
    is_saml_org,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('load_testing', 'organizations') }}
