"""One resource: one endpoint, one table, one asset."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from platform_assets.declarations.auth import Auth
from platform_assets.declarations.configured import Configured
from platform_assets.declarations.detail import Detail
from platform_assets.declarations.error_handler import ErrorHandler
from platform_assets.declarations.freshness import Freshness
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.partition import Buckets, DynamicPartitions
from platform_assets.declarations.places import VALUE, in_body, in_header, leaves
from platform_assets.declarations.portions import ListedPortions, Portions
from platform_assets.declarations.rate_limit import RateLimit
from platform_assets.declarations.record_shape import RecordShape
from platform_assets.declarations.report_job import ReportJob
from platform_assets.declarations.response_format import ResponseFormat
from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template

# dlt's data types that a column may be declared with; nested values are `json`.
DATA_TYPES = ("text", "bigint", "double", "bool", "timestamp", "date", "json")

# The field that is the key of a record without one (`primary_key=()`): a hash of its whole content.
CONTENT_KEY = "_content_key"

_PLACEHOLDER = re.compile(r"\{\+?([^{}]*)\}")


@strict
@dataclass(frozen=True)
class Resolve:
    """A path value taken from a parent's loaded rows, as dlt's `{"type": "resolve", ...}`.

    Values of a resource and of one that it is read for itself are those of one row and its parent. Values of resources
    that do not know each other are combined, each with each.

    Args:
        resource: the parent resource, or the parent's parent.
        field: its raw field; may be a dotted path into a JSON column, as in
            `Resolve(resource="projects", field="organization.slug")`, or a column with a value of its own parent,
            as `_orgs_slug`.
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
    """A value that is sent once for each of several. If a record comes with several of them, the last one wins."""

    values: tuple[str | int, ...]


@strict
@dataclass(frozen=True)
class Listed:
    """A query parameter that is sent once per row of another list, which is read for it first.

    For a table that is one asset although the API serves it per parent, without asking for all at once.

    Args:
        resource: the resource whose list is read, as the contract serves it.
        field: its raw field that is sent.
    """

    resource: str
    field: str


# What a path value or query parameter is declared with; a tuple of texts is sent as `name=a&name=b`.
Param = str | int | tuple[str, ...] | Resolve | FanOut | Listed | Configured | Template


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
class ParentBatch:
    """One request for many parents (Pipedrive: `deal_ids=1,2,3`).

    Args:
        size: parents a request, at most.
        parent_field: the records' field with the parent's value, which tells whose they are.
    """

    size: int
    parent_field: str


@strict
@dataclass(frozen=True, kw_only=True)
class Deprecation:
    """What the vendor has said about the end of an endpoint.

    Args:
        since: when it was deprecated, `YYYY-MM-DD`.
        sunset: when it stops to respond, if the vendor named a day.
        replacement: what the vendor offers instead.
    """

    since: str | None = None
    sunset: str | None = None
    replacement: str | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a resource is served. Keys are named as in dlt's `RESTAPIConfig`.

    Args:
        path: relative to `base_url`; `{name}` is a value from `params`, and is read for each combination of them.
            `{+name}` may be several segments: its slashes stay.
        base_url: where it is served, if elsewhere than the others: another server or root of the same API, which gets
            the same credential unless `auth` has another. A template has `config`. If the setting `base_url` is set,
            its scheme and host replace this one's.
        auth: its credential, if it has another one than the client's: one of the account among those of a project, or
            `NoAuth()` for a list that is public. `check` asks each, and each is counted by itself for the limits.
        params: query parameters, except for the path's values; `FanOut` and `Listed` values repeat the read. A
            `Template` is rendered for each combination of the others and each span of time, and is not sent if it
            comes to nothing. What is called `value:name` is not sent: templates have it as `parent.name`.
        method: how it is read. A POST must be a read too: it is sent again after a fault, as a GET is.
        json: the body as JSON. A value inside it, at any depth, may be what `params` may have: `Resolve`, `FanOut`,
            `Listed`, `Configured`, `Template` (whose value keeps its type).
        data: the body as a form, instead of `json`; values as in `params`.
        headers: beside the client's; values as in `params`.
        portions: further values of a parameter that each page is asked for with, whose records are merged.
        paginator, data_selector: default to the client's. `data_selector` is a dotted path, `""` the body;
            `*` is every item of a list or every value of an object (`data.*`, `groups[*].records`), and
            `['orders.json']` a key with a dot in it.
        response_format: what its answers are written in; None is JSON. Errors are read as they come.
        job: for a report that the server makes on request: the endpoint's own request creates it, and this reads it.
        envelope: the wrapper around each record, if there is one.
        incremental: the cursor; None if the list has none and is read in full.
        batch: several parents in one request; the parameter that is a `Resolve` takes their values, joined by commas.
        record_filter: the records for which it does not hold are left out, and counted. It sees a record as the server
            sends it, or with `filters_shaped` as `record` makes it. A record that holds no longer is gone from a list
            that is read in full (`on_removal`); a row that came by a filtered list (`start_param`) stays as it was when
            it last held.
        filters_shaped: whether `record_filter` comes after `record`.
        record: how its records differ from the table's fields.
        exclude: fields that this contract's records have and that are never loaded, beside the resource's.
        epoch_times: whether its times are numbers, if other endpoints write theirs in another way; None takes the
            client's.
        details: requests per row, for fields that the list does not have; sent if the setting `details` is on.
        also: more lists whose records belong to the same table (Pipedrive: deals and archived deals).
        follow_up: left out of the first read, which has everything: a list for changes that the others do not show
            (Buildkite: `finished_from` finds builds that changed after they were created).
        error_handler: what its responses mean, instead of the client's.
        max_concurrency: requests to this endpoint in flight at once, if fewer than the client's.
        rate_limit: the endpoint's own limit, beside the client's.
        cost: what a request costs of the client's daily budget.
        scope: the permission that the credential needs for it, in the vendor's words.
        deprecation: what the vendor has said about its end.
        docs_url: the page of the vendor's documentation that describes it; else the client's.
    """

    path: str
    base_url: str | Template | None = None
    auth: Auth | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    method: Literal["GET", "POST"] = "GET"
    json: Mapping[str, Any] | None = None
    data: Mapping[str, Param] | None = None
    headers: Mapping[str, str | Resolve | FanOut | Listed | Configured | Template] = field(default_factory=dict)
    portions: Portions | ListedPortions | None = None
    paginator: Paginator | None = None
    data_selector: str | None = None
    response_format: ResponseFormat | None = None
    job: ReportJob | None = None
    envelope: Envelope | None = None
    incremental: Incremental | None = None
    batch: ParentBatch | None = None
    record_filter: Template | None = None
    filters_shaped: bool = False
    record: RecordShape | None = None
    exclude: tuple[str, ...] = ()
    epoch_times: bool | None = None
    details: tuple[Detail, ...] = ()
    follow_up: bool = False
    error_handler: ErrorHandler | None = None
    also: tuple["Endpoint", ...] = ()
    max_concurrency: int | None = None
    rate_limit: RateLimit | None = None
    cost: int | None = None
    scope: str | None = None
    deprecation: Deprecation | None = None
    docs_url: str | None = None

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(_PLACEHOLDER.findall(self.path))

    @property
    def values(self) -> dict[str, Param]:
        """What fills a request, by its place (`places`); of the JSON body only what differs between requests."""
        body = [
            (in_body(path), value)
            for path, value in leaves(self.json or {})
            if isinstance(value, Resolve | FanOut | Listed | Configured | Template)
        ]
        form = {in_body(name): value for name, value in (self.data or {}).items()}
        return {**self.params, **dict(body), **form, **{in_header(name): one for name, one in self.headers.items()}}

    @property
    def templates(self) -> dict[str, Template]:
        """Place of a value -> the template that it is, those that are not sent first."""
        found = {place: value for place, value in self.values.items() if isinstance(value, Template)}
        return dict(sorted(found.items(), key=lambda one: not one[0].startswith(VALUE)))

    @property
    def parents(self) -> dict[str, Resolve]:
        """Place of a value -> where it comes from: those of the path first, in its order."""
        values = self.values
        names = (*self.placeholders, *(name for name in values if name not in self.placeholders))
        found = ((name, values.get(name)) for name in names)
        return {name: value for name, value in found if isinstance(value, Resolve)}

    @property
    def lists(self) -> tuple["Endpoint", ...]:
        """The lists that make the table: this one, then the others."""
        return (self, *self.also)


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
        primary_key: field or fields; None takes the platform's. `()` for records that have none: the key is then a
            hash of the record's content and its parent, in the column `_content_key`. Equal records are one row (and
            counted), a record that changes is a new row, and of a list that is read in full the old one is gone
            (`on_removal`); of a filtered list both stay.
        key_fallback: primary key field -> field to take its value from if a record lacks it.
        partition: required for a child resource (a path with a parent's value).
        exclude: fields that are never loaded (secrets); `a.b` names a key inside an object.
        personal: fields with personal data, which the setting `personal_salt` turns into hashes.
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
    personal: tuple[str, ...] = ()
    on_removal: OnRemoval | None = None
    freshness: Freshness | None = None
    specified_name: str | None = None

    @property
    def parent(self) -> str | None:
        """The name of a resource that a child resource takes path values from; see `ancestry.parents_of` for all."""
        return next((resolve.resource for resolve in self.endpoint.parents.values()), None)

    @property
    def removal_policy(self) -> OnRemoval:
        return self.removal_policy_of(self.endpoint)

    def removal_policy_of(self, endpoint: Endpoint) -> OnRemoval:
        """What a missing row means where an endpoint of any contract serves the resource."""
        if self.on_removal is not None:
            return self.on_removal
        partial = any(one.incremental is not None and one.incremental.partial for one in endpoint.lists)
        return OnRemoval.IGNORE if partial else OnRemoval.SOFT_DELETE
