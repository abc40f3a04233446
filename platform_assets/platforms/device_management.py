"""Device management: organizations, locations, policies, groups and activities (the live vendor is NinjaOne).

The live vendor has the same paths and another paging. No list can be filtered by time, so each is read in full;
with the setting `start_date`, records with an older cursor are not loaded.
"""

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Cadence,
    Client,
    Endpoint,
    Incremental,
    Offset,
    OnRemoval,
    Platform,
    Resource,
    SinglePage,
)
from platform_assets.platforms.columns.device_management import DESCRIPTIONS
from platform_assets.platforms.vendors import ninjaone

# As specified; no maximum is known. Here `after` is a number of records; the live vendor takes the last record's id.
PAGES = Offset(offset_param="after", limit_param="limit", limit=20)

PLATFORM = Platform(
    name="device_management",
    title="Device management",
    description="Organizations, locations, policies, groups and activities of a remote monitoring service.",
    cadence=Cadence(cursored="43 * * * *", snapshots="47 2 * * *", full="47 4 * * 6", verified="47 6 * * 6"),
    client=Client(
        auth=BearerAuth(),
        probe="/v2/roles",
        # Every tenant has organizations 1, 2, 3, ...; together with their names they identify the tenant.
        account=Account(
            path="/v2/organizations", params={"after": 0, "limit": 20}, resource="organizations", fields=("id", "name")
        ),
        paginator=SinglePage(),
    ),
    contracts={"ninjaone": ninjaone.CONTRACT},
    column_descriptions=DESCRIPTIONS,
    resources=(
        Resource(
            name="organizations",
            description="Organizations whose devices are managed. No cursor: the record carries no time.",
            endpoint=Endpoint(path="/v2/organizations", paginator=PAGES),
            columns={
                "id": "bigint",
                "name": "text",
                "description": "text",
                "nodeApprovalMode": "text",
                "userData": "json",
                "tags": "json",
                "fields": "json",
            },
        ),
        Resource(
            name="policies",
            description="Policies per class of device; `parentPolicyId` names the policy it inherits from.",
            endpoint=Endpoint(
                path="/v2/policies",
                incremental=Incremental(cursor_path="updated", bounded=True),
            ),
            columns={
                "id": "bigint",
                "parentPolicyId": "bigint",
                "name": "text",
                "description": "text",
                "nodeClass": "text",
                "nodeClassDefault": "bool",
                "updated": "timestamp",
                "tags": "json",
            },
        ),
        Resource(
            name="activities",
            description="Feed of what happened on devices and in the service; old entries expire there.",
            endpoint=Endpoint(
                path="/v2/activities",
                paginator=PAGES,
                data_selector="activities",
                incremental=Incremental(cursor_path="activityTime", bounded=True),
            ),
            on_removal=OnRemoval.IGNORE,
            columns={
                "id": "bigint",
                "activityTime": "timestamp",
                "deviceId": "bigint",
                "severity": "text",
                "priority": "text",
                "seriesUid": "text",
                "activityType": "text",
                "statusCode": "text",
                "status": "text",
                "activityResult": "text",
                "sourceConfigUid": "text",
                "sourceName": "text",
                "subject": "text",
                "userId": "bigint",
                "message": "text",
                "type": "text",
                "data": "json",
            },
        ),
        Resource(
            name="automation_scripts",
            description="Scripts that can be run on devices: language and parameters, not the source.",
            endpoint=Endpoint(
                path="/v2/automation/scripts",
                incremental=Incremental(cursor_path="updatedOn", bounded=True),
            ),
            columns={
                "id": "bigint",
                "name": "text",
                "description": "text",
                "active": "bool",
                "language": "text",
                "architecture": "json",
                "operatingSystems": "json",
                "scriptParameters": "json",
                "scriptVariables": "json",
                "createdOn": "timestamp",
                "updatedOn": "timestamp",
            },
        ),
        Resource(
            name="groups",
            description="Groups of devices; `deviceCount` and `lastEvaluated` change at every evaluation.",
            endpoint=Endpoint(
                path="/v2/groups",
                incremental=Incremental(cursor_path="updated", bounded=True),
            ),
            columns={
                "id": "bigint",
                "name": "text",
                "description": "text",
                "shared": "bool",
                "created": "timestamp",
                "updated": "timestamp",
                "deviceCount": "bigint",
                "lastEvaluated": "timestamp",
                "tags": "json",
            },
        ),
        Resource(
            name="locations",
            description="Sites of an organization (`organizationId`). No cursor: the record has no time.",
            endpoint=Endpoint(path="/v2/locations", paginator=PAGES),
            columns={
                "id": "bigint",
                "organizationId": "bigint",
                "name": "text",
                "address": "text",
                "description": "text",
                "userData": "json",
                "tags": "json",
                "fields": "json",
            },
        ),
        Resource(
            name="roles",
            description="Device roles (not users' roles), read in full: `created` never sees an edit.",
            endpoint=Endpoint(
                path="/v2/roles",
                incremental=Incremental(cursor_path="created", bounded=True),
            ),
            columns={
                "id": "bigint",
                "name": "text",
                "description": "text",
                "nodeClass": "text",
                "custom": "bool",
                "chassisType": "text",
                "created": "timestamp",
                "tags": "json",
            },
        ),
        Resource(
            name="software_products",
            description="Catalogue of software products; the id is a UUID, elsewhere it is a number.",
            endpoint=Endpoint(path="/v2/software-products"),
            columns={
                "id": "text",
                "vendorName": "text",
                "productName": "text",
                "installable": "bool",
                "active": "bool",
            },
        ),
    ),
)
