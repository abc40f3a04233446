select
    id as software_product_id,
    vendor_name,
    product_name,
    installable as is_installable,
    active as is_active,
    _deleted_at is not null as is_deleted,
    _loaded_at as last_seen_at
from {{ source('device_management', 'software_products') }}
