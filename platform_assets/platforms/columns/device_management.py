"""What the columns of `device_management` mean."""

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, str] = {
    "id": "Number; unique among records of its kind in the tenant.",
    "name": "Free text for people.",
    "description": "Longer text for people; may be null.",
    "userData": "Values that programs attached through the API (an object).",
    "tags": "Labels that people attached (a list); null from older instances.",
    "fields": "Custom fields and their values (an object); null from older instances.",
    "nodeClass": "Class of device it is for, e.g. `WINDOWS_SERVER`, `MAC`, `CLOUD_MONITOR_TARGET`.",
    "updated": "When it was last edited (UTC); the cursor.",
    "created": "When it was created (UTC).",
    # organizations
    "nodeApprovalMode": "What happens to new devices: `AUTOMATIC`, `MANUAL` or `REJECT`.",
    # policies
    "parentPolicyId": "Policy it inherits from, `device_management.policies.id`; null at the top.",
    "nodeClassDefault": "Whether new devices of the class get it.",
    # activities
    "activities.id": "Number that grows with time: a larger one happened later.",
    "activityTime": "When it happened (UTC); the cursor.",
    "deviceId": "Device it happened on; null if on none. Devices are not loaded.",
    "severity": "`NONE`, `MINOR`, `MODERATE`, `MAJOR` or `CRITICAL`; may be null.",
    "priority": "`NONE`, `LOW`, `MEDIUM` or `HIGH`; may be null.",
    "seriesUid": "UUID that all activities of one incident or job share.",
    "activityType": "What kind it is, as a code, e.g. `CONDITION`, `SCRIPTING`, `SYSTEM`.",
    "statusCode": "What happened, as a code, e.g. `USER_LOGGED_IN`.",
    "activities.status": "What happened, in words; the language is the request's.",
    "activityResult": "`SUCCESS`, `FAILURE`, `UNSUPPORTED` or `UNCOMPLETED`; null if it has none.",
    "sourceConfigUid": "Condition or schedule that caused it (UUID); null for others.",
    "sourceName": "Condition, script or schedule that caused it, for people; null for others.",
    "subject": "What it is about, for people; null for most.",
    "userId": "User of the service who did it; null if none. Users are not loaded.",
    "message": "The whole event as one sentence, in the language of the request.",
    "type": "What kind it is, in words; `activityType` is its code.",
    "data": "Details that depend on the kind: `message.code`, `message.params` (an object).",
    # automation_scripts
    "active": "Whether it can still be used.",
    "language": "What it is written in, e.g. `powershell`, `batchfile`, `sh`, `vbscript`.",
    "architecture": "Word sizes it runs on: `32`, `64` (a list).",
    "operatingSystems": "Systems it runs on, e.g. `Windows`, `Mac`, `Linux` (a list).",
    "scriptParameters": "Arguments that people can choose when they start it (a list).",
    "scriptVariables": "Inputs that it asks for: name, type, whether required (a list).",
    "createdOn": "When it was created (UTC).",
    "updatedOn": "When it was last edited (UTC); the cursor.",
    # groups
    "shared": "Whether all users see the group, or its creator only.",
    "groups.updated": "When its conditions were last edited (UTC); may be null. The cursor.",
    "deviceCount": "Devices in it when it was last evaluated; may be null.",
    "lastEvaluated": "When the vendor last worked out which devices are in it (UTC).",
    # locations
    "organizationId": "Organization it belongs to; `device_management.organizations.id`.",
    "address": "Postal address as one text; may be null.",
    # roles
    "roles.name": "Name of the role; the vendor's own ones are codes such as `WINDOWS_SERVER`.",
    "roles.created": "When it was created (UTC); the cursor, which never sees an edit.",
    "custom": "Whether the tenant made it; false for the vendor's own roles.",
    "chassisType": "Build of the devices, e.g. `DESKTOP`, `LAPTOP`; `UNKNOWN` for any.",
    # software_products
    "software_products.id": "UUID as a text, unlike the numbers of other tables.",
    "vendorName": "Maker of the software, e.g. Mozilla.",
    "productName": "What the software is called, e.g. Firefox.",
    "installable": "Whether the service can install it on devices.",
    "software_products.active": "Whether it is still in the catalogue.",
}
