"""One resource: one endpoint, one table, one asset."""

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from platform_assets.declarations.declaration import declaration
from platform_assets.declarations.incremental import Freshness, Incremental
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.partition import Buckets, DynamicPartitions

# dlt's data types that a column may be declared with; nested values are `json`.
DATA_TYPES = ("text", "bigint", "double", "bool", "timestamp", "date", "json")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@declaration(kw_only=False)
class Resolve:
    """A path value taken from a parent's loaded rows, as dlt's `{"type": "resolve", ...}`.

    `field` may be a dotted path into a JSON column: `Resolve("projects", "organization.slug")`.
    """

    resource: str
    field: str

    @property
    def column(self) -> str:
        """Column that carries the value in the child's table, as dlt's `include_from_parent` names it."""
        return f"_{self.resource}_{self.field.replace('.', '_')}"


@declaration(kw_only=False)
class FanOut:
    """A query parameter that must be sent once per value; later values win where a record repeats."""

    values: tuple[str, ...]


@declaration
class Envelope:
    """A wrapper around each record, as in Pipedrive's `recents`.

    Args:
        data_field: field that holds the record, a list of records, or null (gone or not visible: the
            envelope is counted and loads nothing).
        kind_field, kind: an envelope of another kind is not of this resource.
    """

    data_field: str
    kind_field: str
    kind: str


class OnRemoval(StrEnum):
    """What it means when a row is no longer in the list it was read from."""

    SOFT_DELETE = "soft_delete"
    """The row is gone upstream: it stays, with `_deleted_at` set."""
    IGNORE = "ignore"
    """Absence is retention, or the read was partial: nothing is concluded."""
    HARD_DELETE = "hard_delete"
    """A parent's rows are its current list: rows that are gone are deleted."""


@declaration
class Endpoint:
    """Where a resource is served. Keys are named as in dlt's `RESTAPIConfig`.

    Args:
        path: relative to `base_url`; `{name}` is a value from `params` given as `Resolve`.
        params: query parameters; `Resolve` values fill the path, `FanOut` values repeat the read.
        paginator, data_selector: default to the client's. `data_selector` is a dotted path, `""` the body.
    """

    path: str
    params: Mapping[str, str | int | Resolve | FanOut] = field(default_factory=dict)
    paginator: Paginator | None = None
    data_selector: str | None = None
    envelope: Envelope | None = None
    incremental: Incremental | None = None

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(_PLACEHOLDER.findall(self.path))

    @property
    def parents(self) -> dict[str, Resolve]:
        """Path placeholder -> where its value comes from, in the path's order."""
        found = ((name, self.params.get(name)) for name in self.placeholders)
        return {name: value for name, value in found if isinstance(value, Resolve)}


@declaration
class Resource:
    """One endpoint of a platform = one table = one asset.

    Args:
        columns: raw field name -> dlt data type. Declared columns exist from the first load on, also
            in an empty table; undeclared fields are added as they appear.
        key_fallback: primary key field -> field to take its value from where a record lacks it.
        exclude: fields never loaded (secrets); `a.b` names a key inside an object.
        removed: `None` derives it: a list read in full is `marked`, a filtered one is `kept`.
        specified_name: the name in the specification, where it is not snake_case.
    """

    name: str
    description: str
    endpoint: Endpoint
    columns: Mapping[str, str]
    primary_key: str | tuple[str, ...] | None = None
    key_fallback: Mapping[str, str] = field(default_factory=dict)
    partition: DynamicPartitions | Buckets | None = None
    exclude: tuple[str, ...] = ()
    on_removal: OnRemoval | None = None
    freshness: Freshness | None = None
    specified_name: str | None = None

    @property
    def parent(self) -> str | None:
        """The parent resource's name, for a child resource."""
        return next((resolve.resource for resolve in self.endpoint.parents.values()), None)

    @property
    def removal_policy(self) -> OnRemoval:
        if self.on_removal is not None:
            return self.on_removal
        incremental = self.endpoint.incremental
        filtered = incremental is not None and incremental.server_side
        return OnRemoval.IGNORE if filtered else OnRemoval.SOFT_DELETE
