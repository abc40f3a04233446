"""One resource: one endpoint, one table, one asset."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from platform_assets.declarations.freshness import Freshness
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.partition import Buckets, DynamicPartitions
from platform_assets.declarations.strict import strict

# dlt's data types that a column may be declared with; nested values are `json`.
DATA_TYPES = ("text", "bigint", "double", "bool", "timestamp", "date", "json")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@strict
@dataclass(frozen=True)
class Resolve:
    """A path value taken from a parent's loaded rows, as dlt's `{"type": "resolve", ...}`.

    Args:
        resource: the parent resource.
        field: its raw field; may be a dotted path into a JSON column, as in
            `Resolve(resource="projects", field="organization.slug")`.
    """

    resource: str
    field: str

    @property
    def column(self) -> str:
        """The child table's column with the value, named as dlt's `include_from_parent` does."""
        return f"_{self.resource}_{self.field.replace('.', '_')}"


@strict
@dataclass(frozen=True)
class FanOut:
    """A query parameter that is sent once per value. If a record comes with several values, the last one wins."""

    values: tuple[str, ...]


@strict
@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A wrapper around each record, as in Pipedrive's `recents`.

    Args:
        data_field: field that holds the record, a list of records, or null (deleted or not visible: the
            envelope is counted and loads nothing).
        kind_field, kind: envelopes whose `kind_field` has another value are ignored.
    """

    data_field: str
    kind_field: str
    kind: str


class OnRemoval(StrEnum):
    """What it means when a row is no longer in the list it was read from."""

    # The row was removed upstream: it stays, with `_deleted_at` set.
    SOFT_DELETE = "soft_delete"
    # Nothing is concluded: the server drops old rows, or the read returned only part of the list.
    IGNORE = "ignore"
    # The table holds the parent's current list: other rows of the parent are deleted.
    HARD_DELETE = "hard_delete"


@strict
@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a resource is served. Keys are named as in dlt's `RESTAPIConfig`.

    Args:
        path: relative to `base_url`; `{name}` is a value from `params` given as `Resolve`.
        params: query parameters; `Resolve` values fill the path, `FanOut` values repeat the read.
        paginator, data_selector: default to the client's. `data_selector` is a dotted path, `""` the body.
        envelope: the wrapper around each record, if there is one.
        incremental: the cursor; None if the list has none and is read in full.
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


@strict
@dataclass(frozen=True, kw_only=True)
class Resource:
    """One endpoint of a platform = one table = one asset.

    Args:
        name: snake_case; the table's name and the last part of the asset key.
        description: for people, in the UI.
        endpoint: where the contract `reference` serves it.
        columns: raw field name -> dlt data type. Declared columns exist from the first load on, also
            in an empty table; undeclared fields are added as they appear.
        primary_key: field or fields; None takes the platform's.
        key_fallback: primary key field -> field to take its value from if a record lacks it.
        partition: required for a child resource (a path with a parent's value).
        exclude: fields that are never loaded (secrets); `a.b` names a key inside an object.
        on_removal: `None` derives it: `SOFT_DELETE` for a list read in full, `IGNORE` for a filtered one.
        freshness: allowed lag; None takes the platform's.
        specified_name: the name in the specification, if it is not snake_case.
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
