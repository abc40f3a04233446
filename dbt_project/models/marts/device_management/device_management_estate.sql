-- Grain: one row per organization that is still there.
select
    organizations.organization_id,
    organizations.name as organization_name,
    organizations.node_approval_mode,
    count(locations.location_id) as locations
from {{ ref('stg_device_management__organizations') }} as organizations
left join {{ ref('stg_device_management__locations') }} as locations
    on organizations.organization_id = locations.organization_id and not locations.is_deleted
where not organizations.is_deleted
group by organizations.organization_id, organizations.name, organizations.node_approval_mode
