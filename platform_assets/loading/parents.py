"""A child's parents, as the warehouse knows them, and which of them are to be read now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from platform_assets.extraction.errors import AnswerError
from platform_assets.extraction.paging import dig
from platform_assets.extraction.reading import Parent
from platform_assets.extraction.settings import Settings
from platform_assets.vocabulary import Buckets, Platform, Resource, partition_key
from platform_assets.warehouse import Progress, Status
from platform_assets.warehouse.warehouse import WarehouseSession


@dataclass(frozen=True)
class KnownParent:
    """A parent with the partition it belongs to and the token that changes when it changes."""

    parent: Parent
    partition: str
    version: str | None


def known_parents(
    platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings | None
) -> list[KnownParent]:
    """Parents of `resource` in the warehouse, within the configured scope, without removed ones.

    Raises AnswerError where two different parents would share one key.
    """
    parents = resource.endpoint.parents
    parent_resource = platform.resource(next(iter(parents.values())).resource)
    naming = session.naming
    fields = [resolve.field for resolve in parents.values()]
    scopes = [scope for scope in platform.scopes if scope.resource == parent_resource.name]
    scope_values = dict(settings.scopes) if settings else {}
    incremental = parent_resource.endpoint.incremental
    version_column = naming.normalize_identifier(incremental.cursor_path) if incremental else "_dlt_id"
    wanted = [*fields, *(scope.field for scope in scopes)]
    columns = list(
        dict.fromkeys([*(naming.normalize_identifier(name.split(".")[0]) for name in wanted), version_column])
    )
    found: dict[str, KnownParent] = {}
    chunks = session.current_values(parent_resource.name, columns)
    for row in (row for rows in chunks for row in rows):
        record = dict(zip(columns, row, strict=True))
        values = [_value(record, name, naming) for name in wanted]
        path_values, scoped = values[: len(fields)], values[len(fields) :]
        if any(value is None for value in path_values):
            continue
        if not _in_scope([(scope_values.get(s.setting), v) for s, v in zip(scopes, scoped, strict=True)]):
            continue
        known = _known_parent(resource, dict(zip(parents, path_values, strict=True)), record[version_column])
        twin = found.setdefault(known.parent.key, known)
        if twin.parent.values != known.parent.values:
            raise AnswerError(f"two parents share the key {known.parent.key!r}")
    return list(found.values())


def _known_parent(resource: Resource, values: Mapping[str, object], version: Any) -> KnownParent:
    key = partition_key(list(values.values()))
    partition = resource.partition.key_of(key) if isinstance(resource.partition, Buckets) else key
    return KnownParent(Parent(key, values), partition, _token(version))


def _token(version: Any) -> str | None:
    """A value's text, the same whatever time zone the database session has."""
    if isinstance(version, datetime):
        version = version.astimezone(UTC)
    return None if version is None else str(version)


def _value(record: Mapping[str, Any], name: str, naming: Any) -> Any:
    first, _, rest = name.partition(".")
    value = record[naming.normalize_identifier(first)]
    if not rest:
        return value
    return dig(orjson.loads(value) if isinstance(value, str) else value, rest)


def _in_scope(pairs: Iterable[tuple[tuple[str, ...] | None, Any]]) -> bool:
    return all(allowed is None or str(value) in allowed for allowed, value in pairs)


def to_read(
    resource: Resource,
    parents: Iterable[KnownParent],
    progress: Mapping[tuple[str, str], Progress],
    *,
    partitions: frozenset[str] | None,
    only: frozenset[str] | None,
    full_refresh: bool,
) -> list[KnownParent]:
    """The parents to read: of the asked-for partitions, and in buckets only new, changed or failed ones."""
    chosen = [
        known
        for known in parents
        if (partitions is None or known.partition in partitions) and (only is None or known.parent.key in only)
    ]
    if full_refresh or only is not None or not isinstance(resource.partition, Buckets):
        return chosen
    return [known for known in chosen if _changed(known, progress.get((resource.name, known.parent.key)))]


def _changed(known: KnownParent, last: Progress | None) -> bool:
    if last is None or last.status is Status.FAILED:
        return True
    return last.parent_cursor != known.version
