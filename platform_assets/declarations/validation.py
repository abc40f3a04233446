"""Checks of whole platforms when the definitions load: what its declarations mean together must be able to run.

Keys and types were checked when each declaration was made (`strict`). The alternative, letting a wrong platform fail
when it first runs, would show a missing parent or a cron of four fields at night.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import timedelta

from platform_assets.declarations.addresses import address_problem
from platform_assets.declarations.ancestry import ancestors, field_in, has_field, parents_of
from platform_assets.declarations.auth_problems import auth_problems
from platform_assets.declarations.contradictions import contradictions
from platform_assets.declarations.detail_problems import detail_problems, paginator_of
from platform_assets.declarations.documentation import description_problems, link_problems
from platform_assets.declarations.errors import DeclarationError
from platform_assets.declarations.format_problems import format_problems
from platform_assets.declarations.freshness import LONGEST_LAG, Freshness
from platform_assets.declarations.handler_problems import handler_problems
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.job_problems import job_problems
from platform_assets.declarations.lists import list_problems
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.paginator_problems import paginator_problems
from platform_assets.declarations.partition import Buckets, DynamicPartitions
from platform_assets.declarations.platform import REFERENCE, Client, Contract, Platform
from platform_assets.declarations.record_problems import record_problems
from platform_assets.declarations.request_problems import request_problems
from platform_assets.declarations.resource import CONTENT_KEY, DATA_TYPES, FanOut, Resolve, Resource
from platform_assets.declarations.strict import declared_on

_TABLE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MODEL_SCHEMAS = ("staging", "marts")
_OWNER = re.compile(r"team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+")
# Lowest and highest number of cron's minute, hour, day, month and weekday.
_CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

# (resource or None, key, what is wrong and how to fix it)
Problem = tuple[str | None, str, str]


def validate(platforms: Iterable[Platform]) -> tuple[Platform, ...]:
    """Return `platforms` unchanged, or raise DeclarationError for the first thing that cannot run."""
    checked: tuple[Platform, ...] = ()
    for platform in platforms:
        validate_beside(platform, checked)
        checked = (*checked, platform)
    return checked


def validate_beside(platform: Platform, others: Iterable[Platform]) -> None:
    """Raise DeclarationError for the first thing in `platform` that cannot run, alone or beside the `others`."""
    for resource, key, problem in (*problems(platform), *_clashes(platform, others)):
        raise DeclarationError(platform.name, resource, key, problem, _line(platform, resource))


def problems(platform: Platform) -> Iterator[Problem]:
    """Everything wrong with one platform's declarations, in the order of the file."""
    if not _TABLE_NAME.fullmatch(platform.name):
        yield None, "name", f"{platform.name!r} is not snake_case; it names a schema and asset keys"
    if platform.name in _MODEL_SCHEMAS:
        yield None, "name", f"{platform.name!r} is the schema of dbt's models"
    if not platform.resources:
        yield None, "resources", "is empty: a platform needs at least one resource"
    for owner in platform.owners:
        if not _OWNER.fullmatch(owner):
            yield None, "owners", f"{owner!r} is neither an e-mail address nor `team:<name>`"
    for item in fields(platform.cadence):
        yield from _cron_problems(item.name, getattr(platform.cadence, item.name))
    yield from _freshness_problems(None, platform.freshness)
    problem = address_problem(platform.base_url, platform.secrets)
    if problem is not None:
        yield None, "base_url", problem
    yield from _client_problems(platform.client, platform.secrets)
    names: set[str] = set()
    for resource in platform.resources:
        if resource.name in names:
            yield resource.name, "name", "two resources load to this table; give one another name"
        names.add(resource.name)
    for resource in platform.resources:
        yield from _resource_problems(platform, resource, names)
    for name, contract in platform.contracts.items():
        yield from _contract_problems(platform, name, contract, names)
    for client in (platform.client, *(contract.client for contract in platform.contracts.values())):
        yield from _account_problems(platform, client, names)
    parents = {one.resource for resource in platform.resources for one in resource.endpoint.parents.values()}
    for scope in platform.scopes:
        if scope.resource not in names:
            yield None, "scopes", f"no resource is called {scope.resource!r}{did_you_mean(scope.resource, names)}"
        elif scope.resource not in parents:
            yield None, "scopes", f"{scope.resource!r} has no children, so `{scope.setting}` would narrow nothing"
        elif not _has_column(platform, scope.resource, scope.field):
            yield None, "scopes", f"{scope.resource!r} has no column {scope.field!r}"
    yield from _shared_partitions(platform)
    for key, problem in description_problems(platform):
        yield None, key, problem


def _account_problems(platform: Platform, client: Client, names: set[str]) -> Iterator[Problem]:
    account = client.account
    if account is None:
        return
    if account.resource not in names:
        yield None, "account", f"no resource is called {account.resource!r}"
        return
    if not account.path.startswith("/"):
        yield None, "account", f"{account.path!r} must start with `/`"
    if not account.fields:
        yield None, "account", "`fields` is empty: nothing would tell the account"
    for field in account.fields:
        if not _has_column(platform, account.resource, field):
            yield None, "account", f"{account.resource!r} has no column {field!r}"


def _has_column(platform: Platform, resource: str, field: str) -> bool:
    """Whether a field, or the JSON column that a dotted path begins with, is declared."""
    return field.split(".")[0] in platform.resource(resource).columns


def _line(platform: Platform, resource: str | None) -> int | None:
    """Line of the declaration of a resource (the last of this name), or of the platform."""
    named = [candidate for candidate in platform.resources if candidate.name == resource]
    return declared_on(named[-1] if named else platform)


def _clashes(platform: Platform, others: Iterable[Platform]) -> Iterator[Problem]:
    """Names that a platform shares with another and may not."""
    own = _partition_names(platform)
    for other in others:
        if other.name == platform.name:
            yield None, "name", "two platforms have this name"
        for name in sorted(own.keys() & _partition_names(other).keys()):
            yield own[name], "partition", f"{other.name} has partitions called {name!r} too, of other parents"


def _partition_names(platform: Platform) -> dict[str, str]:
    """Name of dynamic partitions -> a resource that has them."""
    return {r.partition.name: r.name for r in platform.resources if isinstance(r.partition, DynamicPartitions)}


def _shared_partitions(platform: Platform) -> Iterator[Problem]:
    """Resources that share partitions must share their parents: in Dagster a name stands for one set of keys."""
    parents: dict[str, tuple[Resolve, ...]] = {}
    for resource in platform.resources:
        if isinstance(resource.partition, DynamicPartitions):
            own = tuple(resource.endpoint.parents.values())
            if parents.setdefault(resource.partition.name, own) != own:
                yield resource.name, "partition", f"{resource.partition.name!r} has other parents elsewhere"


def _client_problems(client: Client, secrets: tuple[str, ...]) -> Iterator[Problem]:
    if not client.probe.startswith("/"):
        yield None, "probe", f"{client.probe!r} must start with `/`"
    if not all(limit.requests >= 1 and limit.seconds > 0 for limit in client.rate_limits):
        yield None, "rate_limit", "needs at least one request in a positive number of seconds"
    for key in ("max_concurrency", "max_jobs"):
        most = getattr(client, key)
        if most is not None and most < 1:
            yield None, key, "must be at least 1"
    for key, problem in handler_problems(client.error_handler, secrets):
        yield None, key, problem
    for problem in auth_problems(client.auth):
        yield None, "auth", problem
    yield from _paginator_problems(None, client.paginator)
    for key, problem in link_problems(client):
        yield None, key, problem


def _freshness_problems(resource: str | None, freshness: Freshness | None) -> Iterator[Problem]:
    if freshness is not None and freshness.allowed_lag <= timedelta(0):
        yield resource, "freshness", "`allowed_lag` must be positive"
    elif freshness is not None and freshness.allowed_lag > LONGEST_LAG:
        yield resource, "freshness", "`allowed_lag` must be ten years or less"


def _cron_problems(key: str, cron: str) -> Iterator[Problem]:
    if not is_cron(cron):
        yield None, "cadence", f"`{key}` {cron!r} is not a cron expression of five fields, e.g. `0 3 * * *`"


def is_cron(text: str) -> bool:
    """Whether a text has cron's five fields (minute, hour, day, month, weekday), in numbers within their bounds."""
    given = text.split()
    return len(given) == len(_CRON_FIELDS) and all(
        _is_cron_item(item, *bounds)
        for cron_field, bounds in zip(given, _CRON_FIELDS, strict=True)
        for item in cron_field.split(",")
    )


def _is_cron_item(item: str, lowest: int, highest: int) -> bool:
    """`*`, `5` or `5-10`, each also with a step: `*/15`."""
    found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", item)
    if found is None or (found[3] is not None and int(found[3]) < 1):
        return False
    numbers = [int(number) for number in found.groups()[:2] if number is not None]
    return numbers == sorted(numbers) and all(lowest <= number <= highest for number in numbers)


def _contract_problems(platform: Platform, name: str, contract: Contract, names: set[str]) -> Iterator[Problem]:
    """A contract must serve known resources, each in a way that can run."""
    if name == REFERENCE:
        yield None, "contracts", f"{name!r} is the platform itself; give the contract another name"
        return
    problem = address_problem(contract.base_url, platform.secrets)
    if problem is not None:
        yield None, "contracts", f"`base_url` of contract {name!r}: {problem}"
    yield from _client_problems(contract.client, platform.secrets)
    for resource in contract.endpoints:
        if resource not in names:
            yield None, "contracts", f"contract {name!r} serves {resource!r}, which is not a resource"
            return
    for resource in contract.unserved:
        if resource not in names or resource in contract.endpoints:
            yield None, "contracts", f"contract {name!r} cannot leave {resource!r} unserved: no resource, or it has one"
    applied = platform.with_contract(name)
    for resource in applied.resources:
        whole = bool(platform.resource(resource.name).endpoint.parents) and not resource.endpoint.parents
        found = _resource_problems(applied, resource, names)
        # A child that the contract serves in one list keeps its partitions, with one key.
        yield from (one for one in found if not (whole and one[1] == "partition"))
        if whole and isinstance(resource.partition, Buckets):
            yield resource.name, "contracts", f"contract {name!r} serves it without parents: buckets need them"


def _resource_problems(platform: Platform, resource: Resource, names: set[str]) -> Iterator[Problem]:
    name, endpoint = resource.name, resource.endpoint
    if not _TABLE_NAME.fullmatch(name):
        yield name, "name", f"{name!r} is not snake_case; put the specified name in `specified_name`"
    if not endpoint.path.startswith("/"):
        yield name, "path", f"{endpoint.path!r} must start with `/`"
    yield from _paginator_problems(name, platform.paginator_of(resource))
    yield from _freshness_problems(name, resource.freshness)
    yield from _column_problems(platform, resource)
    yield from _parent_problems(platform, resource, names)
    for key, problem in contradictions(platform, resource):
        yield name, key, problem
    for key, problem in list_problems(resource, names):
        yield name, key, problem
    key_fields, secrets = platform.primary_key_of(resource), platform.secrets
    for one in endpoint.lists:
        for key, problem in record_problems(resource, one, key_fields, secrets):
            yield name, key, problem
        for key, problem in request_problems(one, platform.client.paginator_of(one), secrets):
            yield name, key, problem
        for key, problem in handler_problems(one.error_handler, secrets) if one.error_handler else ():
            yield name, key, problem
        for problem in auth_problems(one.auth) if one.auth is not None else ():
            yield name, "auth", problem
        for key, problem in (*detail_problems(platform, resource, one), *link_problems(one)):
            yield name, key, problem
        for key, problem in (*format_problems(platform.client, one), *job_problems(one, secrets)):
            yield name, key, problem
        for detail in one.details:
            yield from _paginator_problems(name, paginator_of(platform, detail))
    for other in endpoint.also:
        alone = replace(resource, endpoint=other, on_removal=None)
        yield from _paginator_problems(name, platform.paginator_of(alone))
        yield from _column_problems(platform, alone)
        for key, problem in contradictions(platform, alone):
            yield name, key, problem


def _paginator_problems(resource: str | None, paginator: Paginator) -> Iterator[Problem]:
    for problem in paginator_problems(paginator):
        yield resource, "paginator", problem


def _column_problems(platform: Platform, resource: Resource) -> Iterator[Problem]:
    for column, data_type in resource.columns.items():
        if data_type not in DATA_TYPES:
            yield resource.name, "columns", f"{column!r} has type {data_type!r}; known: {', '.join(DATA_TYPES)}"
    for key in platform.primary_key_of(resource):
        if key and key not in resource.columns and resource.primary_key != ():
            yield resource.name, "primary_key", f"{key!r} is not a declared column"
    if resource.primary_key == () and CONTENT_KEY in resource.columns:
        yield resource.name, "columns", f"{CONTENT_KEY!r} is made where there is no primary key: leave it out"
    for key, fallback in resource.key_fallback.items():
        if key not in platform.primary_key_of(resource):
            yield resource.name, "key_fallback", f"{key!r} is not in the primary key, so {fallback!r} is never read"
    for one in resource.endpoint.lists:
        if one.incremental is not None:
            yield from _incremental_problems(resource, one.incremental)


def _incremental_problems(resource: Resource, incremental: Incremental) -> Iterator[Problem]:
    yield from _unread_problems(resource.name, incremental)
    if min(incremental.lag, incremental.reopen_limit) < timedelta(0):
        yield resource.name, "incremental", "`lag` and `reopen_limit` must not be negative"
    if incremental.cursor_path not in resource.columns:
        yield resource.name, "incremental", f"cursor {incremental.cursor_path!r} is not a declared column"
    elif resource.columns[incremental.cursor_path] != "timestamp":
        yield resource.name, "incremental", f"cursor {incremental.cursor_path!r} must be a `timestamp` column"
    for reopened in incremental.reopen:
        if reopened not in resource.columns:
            yield resource.name, "incremental", f"`reopen` field {reopened!r} is not a declared column"


def _unread_problems(resource: str, incremental: Incremental) -> Iterator[Problem]:
    """Keys that are read only if the server filters, given although it does not."""
    if incremental.server_side:
        return
    fresh = Incremental(cursor_path=incremental.cursor_path)
    if incremental.too_deep is not None:
        return
    unread = ("format", "initial_value", "end_param", "end_required", "row_order", "step")
    for key in unread if incremental.newest_first else (*unread, "lag", "reopen", "reopen_limit"):
        if getattr(incremental, key) != getattr(fresh, key):
            yield resource, "incremental", f"`{key}` does nothing without `start_param`: the list is read in full"


def _parent_problems(platform: Platform, resource: Resource, names: set[str]) -> Iterator[Problem]:
    name, endpoint = resource.name, resource.endpoint
    parents = endpoint.parents
    for placeholder in endpoint.placeholders:
        if placeholder not in endpoint.params or isinstance(endpoint.params[placeholder], tuple):
            yield name, "path", f"placeholder `{{{placeholder}}}` has no parent: add it to `params` as Resolve(...)"
    for resolve in parents.values():
        if resolve.resource not in names:
            yield name, "params", f"parent {resolve.resource!r} is not a resource of {platform.name}"
            return
        if name in ancestors(platform, resolve.resource) or name == resolve.resource:
            yield (
                name,
                "params",
                f"parent {resolve.resource!r} is read for {name!r} itself: nothing could be read first",
            )
            return
    for resolve in parents.values():
        if not all(re.search(r"\w", part) for part in resolve.field.split(".")):
            yield name, "params", f"{resolve.field!r} is no path of fields of {resolve.resource!r}"
            return
        if not has_field(platform, resolve.resource, resolve.field):
            yield name, "params", f"parent {resolve.resource!r} has no column {resolve.field!r}"
    above = {one: ancestors(platform, one) for one in parents_of(platform, resource)}
    for resolve in parents.values():
        heirs = [one for one in above if resolve.resource in above[one]]
        if heirs and not any(field_in(platform, one, resolve) for one in heirs):
            yield (
                name,
                "params",
                f"{resolve.field!r} of {resolve.resource!r} is not in the rows of {heirs[0]!r}:"
                f" which belong together is not known; name it there as Resolve({resolve.resource!r}, ...)",
            )
    if parents and not isinstance(resource.partition, DynamicPartitions | Buckets):
        yield name, "partition", "a child resource needs DynamicPartitions(...) or Buckets(...)"
    if resource.partition and not parents:
        yield name, "partition", "only a child resource (a path with a parent's value) can be partitioned"
    if isinstance(resource.partition, Buckets) and resource.partition.count < 1:
        yield name, "partition", "`count` must be at least 1"
    if isinstance(resource.partition, DynamicPartitions) and resource.partition.batch_size < 1:
        yield name, "partition", "`batch_size` must be at least 1"
    for param, value in endpoint.values.items():
        if isinstance(value, FanOut) and not value.values:
            yield name, "params", f"`{param}` fans out over no values: nothing would ever be read"
