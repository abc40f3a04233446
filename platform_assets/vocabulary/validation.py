"""Checks on declarations, made when the definitions load: what cannot run is refused by name."""

import re
from collections.abc import Iterable, Iterator

from platform_assets.vocabulary.declaration import unknown_keys
from platform_assets.vocabulary.errors import DeclarationError
from platform_assets.vocabulary.paginator import Cursor, Offset, PageNumber, Paginator
from platform_assets.vocabulary.partition import Buckets, DynamicPartitions
from platform_assets.vocabulary.platform import REFERENCE, Contract, Platform
from platform_assets.vocabulary.resource import DATA_TYPES, Resolve, Resource

_TABLE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_DISPOSITIONS = ("merge", "append", "replace")

Problem = tuple[str | None, str, str]
"""(resource or None, key, what is wrong and how to mend it)"""


def validate(platforms: Iterable[Platform]) -> tuple[Platform, ...]:
    """Return `platforms` unchanged, or raise DeclarationError for the first thing that cannot run."""
    checked = tuple(platforms)
    seen: set[str] = set()
    for platform in checked:
        for resource, key, problem in problems(platform):
            raise DeclarationError(platform.name, resource, key, problem)
        if platform.name in seen:
            raise DeclarationError(platform.name, None, "name", "two platforms have this name")
        seen.add(platform.name)
    return checked


def problems(platform: Platform) -> Iterator[Problem]:
    """Everything wrong with one platform's declarations, in the order of the file."""
    yield from _unknown(None, platform, platform.client, platform.client.auth, platform.client.error_handler)
    if not _TABLE_NAME.fullmatch(platform.name):
        yield None, "name", f"{platform.name!r} is not snake_case; it names a schema and asset keys"
    yield from _paginator_problems(None, platform.client.paginator)
    limit = platform.client.rate_limit
    if limit is not None and (limit.requests < 1 or limit.seconds <= 0):
        yield None, "rate_limit", "needs at least one request in a positive number of seconds"
    names: set[str] = set()
    for resource in platform.resources:
        if resource.name in names:
            yield resource.name, "name", "two resources load to this table; give one another name"
        names.add(resource.name)
    for resource in platform.resources:
        yield from _resource_problems(platform, resource, names)
    for name, contract in platform.contracts.items():
        yield from _contract_problems(platform, name, contract, names)
    for scope in platform.scopes:
        if scope.resource not in names:
            yield None, "scopes", f"no resource is called {scope.resource!r}"


def _contract_problems(platform: Platform, name: str, contract: Contract, names: set[str]) -> Iterator[Problem]:
    """A contract must serve known resources, each in a way that can run."""
    yield from _unknown(None, contract, contract.client, contract.client.auth)
    if name == REFERENCE:
        yield None, "contracts", f"{name!r} is the platform itself; give the contract another name"
        return
    for resource in contract.endpoints:
        if resource not in names:
            yield None, "contracts", f"contract {name!r} serves {resource!r}, which is no resource"
            return
    for resource in platform.speaking(name).resources:
        yield from _resource_problems(platform.speaking(name), resource, names)


def _unknown(resource: str | None, *declared: object) -> Iterator[Problem]:
    for item in declared:
        for key in unknown_keys(item):
            yield resource, key, f"unknown key of {type(item).__name__}"


def _resource_problems(platform: Platform, resource: Resource, names: set[str]) -> Iterator[Problem]:
    name, endpoint = resource.name, resource.endpoint
    yield from _unknown(
        name, resource, endpoint, endpoint.paginator, endpoint.incremental, endpoint.envelope, resource.partition
    )
    if not _TABLE_NAME.fullmatch(name):
        yield name, "name", f"{name!r} is not snake_case; put the specified name in `specified_name`"
    if not endpoint.path.startswith("/"):
        yield name, "path", f"{endpoint.path!r} must start with `/`"
    if resource.write_disposition not in (None, *_DISPOSITIONS):
        yield name, "write_disposition", f"{resource.write_disposition!r} is none of {', '.join(_DISPOSITIONS)}"
    yield from _paginator_problems(name, platform.paginator_of(resource))
    yield from _column_problems(platform, resource)
    yield from _parent_problems(platform, resource, names)


def _paginator_problems(resource: str | None, paginator: Paginator) -> Iterator[Problem]:
    if isinstance(paginator, PageNumber | Offset) and (paginator.limit < 1 or not paginator.limit_param):
        yield resource, "paginator", "has no stop rule: a short page ends it, so it needs `limit` and `limit_param`"
    if isinstance(paginator, Cursor) and not (paginator.cursor_path and paginator.cursor_param):
        yield resource, "paginator", "has no stop rule: it needs `cursor_path` and `cursor_param`"
    maximum = getattr(paginator, "maximum", None)
    limit = getattr(paginator, "limit", None)
    if maximum is not None and limit is not None and limit > maximum:
        yield resource, "paginator", f"`limit` {limit} is over the server's `maximum` {maximum}"


def _column_problems(platform: Platform, resource: Resource) -> Iterator[Problem]:
    for column, data_type in resource.columns.items():
        if data_type not in DATA_TYPES:
            yield resource.name, "columns", f"{column!r} has type {data_type!r}; known: {', '.join(DATA_TYPES)}"
    for key in platform.primary_key_of(resource):
        if key not in resource.columns:
            yield resource.name, "primary_key", f"{key!r} is not among the declared columns"
    incremental = resource.endpoint.incremental
    if incremental is None:
        return
    if incremental.cursor_path not in resource.columns:
        yield resource.name, "incremental", f"cursor {incremental.cursor_path!r} is not among the declared columns"
    elif resource.columns[incremental.cursor_path] != "timestamp":
        yield resource.name, "incremental", f"cursor {incremental.cursor_path!r} must be a `timestamp` column"
    for reopened in incremental.reopen:
        if reopened not in resource.columns:
            yield resource.name, "incremental", f"`reopen` field {reopened!r} is not among the declared columns"


def _parent_problems(platform: Platform, resource: Resource, names: set[str]) -> Iterator[Problem]:
    name, endpoint = resource.name, resource.endpoint
    parents = endpoint.parents
    for placeholder in endpoint.placeholders:
        if placeholder not in parents:
            yield name, "path", f"placeholder `{{{placeholder}}}` has no parent: add it to `params` as Resolve(...)"
    for param, value in endpoint.params.items():
        if isinstance(value, Resolve) and param not in endpoint.placeholders:
            yield name, "params", f"`{param}` is resolved from a parent but the path has no `{{{param}}}`"
    for resolve in parents.values():
        if resolve.resource not in names:
            yield name, "params", f"parent {resolve.resource!r} is not a resource of {platform.name}"
            return
        if platform.resource(resolve.resource).parent:
            yield name, "params", f"parent {resolve.resource!r} is itself a child; parents must have a plain path"
        if resolve.field.split(".")[0] not in platform.resource(resolve.resource).columns:
            yield name, "params", f"parent {resolve.resource!r} has no column {resolve.field!r}"
    if len({resolve.resource for resolve in parents.values()}) > 1:
        yield name, "params", "path values come from more than one parent resource"
    if parents and not isinstance(resource.partition, DynamicPartitions | Buckets):
        yield name, "partition", "a child resource needs DynamicPartitions(...) or Buckets(...)"
    if resource.partition and not parents:
        yield name, "partition", "only a child resource (a path with a parent's value) can be partitioned"
    if isinstance(resource.partition, Buckets) and resource.partition.count < 1:
        yield name, "partition", "`count` must be at least 1"
