"""The 47 resources of the reference contract, taken only from api-contracts.md, Part A.

Only `LATE` and `UNFINISHED` are not from Part A: how far the reader guarantees to look back.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Paging = Literal["number", "skip", "start", "link", "page", "object"]
Removal = Literal["soft-deleted", "kept", "replaced"]


@dataclass(frozen=True)
class Filter:
    """How the server filters by the cursor: an inclusive lower bound, perhaps an exclusive upper one."""

    since: str
    until: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Parent:
    """The resource whose rows fill the path.

    fields: the parent's fields in the order of the path. identity: the field that identifies a parent, also after
    a rename.
    """

    resource: str
    fields: tuple[str, ...]
    identity: str = "id"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the child's table that hold the path values, as dlt's `include_from_parent` names them."""
        return tuple(f"_{self.resource}_{field.replace('.', '_')}" for field in self.fields)


@dataclass(frozen=True)
class Resource:
    """One endpoint.

    selector: where the records are; size: the page size's parameter, None if it has none.
    default: records a page without that parameter; maximum: no page has more.
    fields: "name:kind" of what a record holds beside its key, cursor and path values.
    stamps: how the cursor is written. order: "id" by age of the row, "oldest" or "newest" by the cursor.
    kind: the envelope's kind in the feed of recent changes.
    due: whether a child is requested again only after its parent's record has changed.
    """

    platform: str
    name: str
    path: str
    selector: str
    paging: Paging
    fields: tuple[str, ...]
    key: str = "id"
    key_kind: Literal["int", "text"] = "int"
    cursor: str | None = None
    stamps: str = "%Y-%m-%dT%H:%M:%SZ"
    filter: Filter | None = None
    parent: Parent | None = None
    removal: Removal = "soft-deleted"
    order: Literal["id", "oldest", "newest"] = "id"
    size: str | None = None
    default: int = 30
    maximum: int = 100
    kind: str | None = None
    folders: bool = False
    due: bool = False

    @property
    def label(self) -> str:
        return f"{self.platform}/{self.name}"

    @property
    def edits_seen(self) -> bool:
        """Whether a record may change at all: events never do."""
        return self.name != "events"


# How late a record may appear in a filtered list, or a build may change, and must still be loaded.
LATE: dict[str, timedelta] = {
    "builds": timedelta(days=2),
    "events": timedelta(hours=20),
    "issues": timedelta(hours=20),
}
LATE_RECENT = timedelta(minutes=3)
# How long an unfinished build may change.
UNFINISHED = timedelta(days=28)
RUNNING, FINISHED = "running", "passed"

FOLDERS = ("inbox", "drafts", "sent", "archive")


def _ci(name: str, path: str, fields: str, **more: object) -> Resource:
    size = None if more.get("paging") == "object" else "per_page"
    given: dict[str, object] = {"paging": "number", "key_kind": "text", "size": size, **more}
    return Resource("ci_analytics", name, path, "data", fields=tuple(fields.split()), **given)  # pyright: ignore[reportArgumentType] -- keywords of Resource


def _load(name: str, path: str, selector: str, fields: str, **more: object) -> Resource:
    given: dict[str, object] = {"paging": "number", "size": "page_size", "default": 32, "cursor": "updated", **more}
    return Resource("load_testing", name, path, selector, fields=tuple(fields.split()), **given)  # pyright: ignore[reportArgumentType] -- keywords of Resource


def _error(name: str, path: str, fields: str, **more: object) -> Resource:
    given: dict[str, object] = {"paging": "link", "key_kind": "text", "stamps": "%Y-%m-%dT%H:%M:%S.%fZ", **more}
    return Resource("error_tracking", name, path, "data", fields=tuple(fields.split()), **given)  # pyright: ignore[reportArgumentType] -- keywords of Resource


def _device(name: str, path: str, fields: str, *, paged: bool = False, **more: object) -> Resource:
    given: dict[str, object] = {
        "selector": "data",
        "paging": "skip" if paged else "page",
        "size": "limit" if paged else None,
        "default": 20,
        **more,
    }
    return Resource("device_management", name, path, fields=tuple(fields.split()), **given)  # pyright: ignore[reportArgumentType] -- keywords of Resource


def _crm(name: str, path: str, fields: str, **more: object) -> Resource:
    given: dict[str, object] = {"selector": "data", "paging": "start", "default": 100, "maximum": 500, **more}
    if given["paging"] == "start":
        given["size"] = "limit"
    return Resource("crm", name, path, fields=tuple(fields.split()), **given)  # pyright: ignore[reportArgumentType] -- keywords of Resource


def _recents(name: str, kind: str, fields: str, cursor: str = "update_time") -> Resource:
    return _crm(
        name,
        "/v1/recents",
        fields,
        kind=kind,
        cursor=cursor,
        stamps="%Y-%m-%d %H:%M:%S",
        filter=Filter("since_timestamp", required=True),
        removal="kept",
        order="oldest",
    )


_CI_ORGANIZATION = Parent("organizations", ("slug",))
_PROJECT = Parent("projects", ("organization.slug", "slug"))
_ORGANIZATION = Parent("projects", ("organization.slug",), identity="organization.slug")

RESOURCES: tuple[Resource, ...] = (
    _ci("organizations", "/v2/organizations", "name:text url:text", cursor="created_at"),
    _ci(
        "analytics_organizations_suites",
        "/v2/analytics/organizations/{}/suites",
        "name:text default_branch:text oidc_policy:json",
        parent=_CI_ORGANIZATION,
    ),
    _ci(
        "organizations_pipelines",
        "/v2/organizations/{}/pipelines",
        "name:text provider:json skip_queued_branch_builds:bool running_builds_count:int created_at:time",
        parent=_CI_ORGANIZATION,
    ),
    _ci("access_token", "/v2/access-token", "description:text scopes:json", paging="object", key="uuid"),
    _ci(
        "builds",
        "/v2/builds",
        "message:text number:int blocked:bool env:json",
        cursor="created_at",
        filter=Filter("created_from", "created_to"),
        removal="kept",
        order="newest",
    ),
    _load(
        "organizations",
        "/v3/organizations",
        "organizations",
        "name:text owner_id:int is_default:bool created:time",
        paging="page",
        size=None,
    ),
    _load(
        "projects",
        "/v3/organizations/{}/projects",
        "projects",
        "name:text is_default:bool created:time",
        parent=Parent("organizations", ("id",)),
    ),
    _load("tests", "/loadtests/v2/tests", "tests", "name:text user_id:int test_run_ids:list created:time"),
    _error("projects", "/v1/projects/", "name:text isMember:bool features:list dateCreated:time"),
    _error(
        "events",
        "/v1/projects/{}/{}/events/",
        "title:text tags:list metadata:json",
        cursor="dateCreated",
        filter=Filter("start", "end"),
        parent=_PROJECT,
        removal="kept",
        order="newest",
    ),
    _error(
        "issues",
        "/v1/projects/{}/{}/issues/",
        "title:text userCount:int isPublic:bool metadata:json",
        cursor="lastSeen",
        filter=Filter("start"),
        parent=_PROJECT,
        removal="kept",
        order="newest",
    ),
    _error(
        "releases",
        "/v1/organizations/{}/releases/",
        "version:text newGroups:int authors:list",
        key_kind="int",
        cursor="dateCreated",
        parent=_ORGANIZATION,
    ),
    _error(
        "project_detail",
        "/v1/projects/{}/{}/",
        "name:text dataScrubber:bool options:json digestsMinDelay:int",
        paging="object",
        parent=_PROJECT,
    ),
    _device("organizations", "/v2/organizations", "name:text tags:list userData:json", paged=True),
    _device("policies", "/v2/policies", "name:text nodeClassDefault:bool parentPolicyId:int", cursor="updated"),
    _device(
        "activities",
        "/v2/activities",
        "message:text deviceId:int data:json",
        paged=True,
        selector="activities",
        cursor="activityTime",
        removal="kept",
    ),
    _device(
        "automation_scripts",
        "/v2/automation/scripts",
        "name:text active:bool scriptParameters:list createdOn:time",
        cursor="updatedOn",
    ),
    _device("groups", "/v2/groups", "name:text shared:bool deviceCount:int lastEvaluated:time", cursor="updated"),
    _device("locations", "/v2/locations", "name:text organizationId:int tags:list", paged=True),
    _device("roles", "/v2/roles", "name:text custom:bool tags:list", cursor="created"),
    _device("software_products", "/v2/software-products", "vendorName:text installable:bool", key_kind="text"),
    _recents("deals", "deal", "title:text value:float org_id:int is_archived:bool custom_fields:json"),
    _recents("files", "file", "file_name:text file_size:int inline_flag:bool"),
    _recents("filters", "filter", "name:text active_flag:bool user_id:int"),
    _recents("notes", "note", "content:text deal_id:int pinned_to_deal_flag:bool"),
    _recents("activities", "activity", "subject:text due_date:date busy:bool participants:list"),
    _recents("persons", "person", "name:text emails:list org_id:int"),
    _recents("pipelines", "pipeline", "name:text order_nr:int"),
    _recents("products", "product", "name:text tax:float prices:list"),
    _recents("stages", "stage", "name:text deal_probability:int pipeline_id:int"),
    _recents("users", "user", "name:text is_admin:int active_flag:bool", cursor="modified"),
    *(
        _crm(f"{kind}_fields", f"/v1/{kind}Fields", "name:text order_nr:int options:list", key="key", key_kind="text")
        for kind in ("activity", "organization", "person", "product")
    ),
    _crm(
        "deal_fields",
        "/v1/dealFields",
        "name:text order_nr:int options:list edit_flag:bool",
        key="key",
        key_kind="text",
        cursor="update_time",
    ),
    _crm(
        "leads",
        "/v1/leads",
        "title:text value:json expected_close_date:date was_seen:bool",
        key_kind="text",
        cursor="update_time",
    ),
    _crm("organizations", "/v1/organizations", "name:text annual_revenue:float owner_id:int", cursor="update_time"),
    _crm("roles", "/v1/roles", "name:text active_flag:bool level:int"),
    _crm(
        "mail_threads",
        "/v1/mailbox/mailThreads",
        "subject:text parties:json message_count:int",
        cursor="update_time",
        folders=True,
    ),
    _crm("lead_labels", "/v1/leadLabels", "name:text color:text", paging="page", key_kind="text"),
    _crm("activity_types", "/v1/activityTypes", "name:text order_nr:int is_custom_flag:bool", paging="page"),
    _crm("currencies", "/v1/currencies", "code:text decimal_points:int", paging="page"),
    _crm("permission_sets", "/v1/permissionSets", "name:text assignment_count:int", paging="page", key_kind="text"),
    _crm(
        "goals",
        "/v1/goals/find",
        "title:text type:json is_active:bool",
        paging="page",
        selector="data.goals",
        key_kind="text",
    ),
    _crm(
        "mail",
        "/v1/mailbox/mailThreads/{}/mailMessages",
        "subject:text read_flag:int from:list",
        cursor="update_time",
        parent=Parent("mail_threads", ("id",)),
        due=True,
    ),
    _crm(
        "deal_products",
        "/v1/deals/{}/products",
        "name:text quantity:float is_enabled:bool",
        parent=Parent("deals", ("id",)),
        removal="replaced",
        due=True,
    ),
)

PLATFORMS = tuple(dict.fromkeys(resource.platform for resource in RESOURCES))


def resource_named(platform: str, name: str) -> Resource:
    return next(found for found in RESOURCES if (found.platform, found.name) == (platform, name))


def resources_of(platform: str) -> tuple[Resource, ...]:
    return tuple(found for found in RESOURCES if found.platform == platform)
