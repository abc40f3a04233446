-- Grain: one row per policy that is still there.
select
    policy_id,
    name as policy_name,
    node_class,
    parent_policy_id is not null as is_inherited,
    updated_at,
    {{ utc_date(as_of()) }} - {{ utc_date('updated_at') }} as days_since_update
from {{ ref('stg_device_management__policies') }}
where not is_deleted
