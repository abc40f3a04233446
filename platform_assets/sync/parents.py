"""A child resource's parents, as the warehouse knows them, and which of them are due.

Parents are read from the parent's table and not from the API again: a child then belongs to a row that was loaded, and
reading 10,000 parents takes one query.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import orjson

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import CONTENT_KEY, Buckets, Platform, Resource, partition_key
from platform_assets.declarations.ancestry import field_in, parents_of
from platform_assets.extraction.queries import NO_PARENT, Parent
from platform_assets.http.errors import AnswerError
from platform_assets.http.selection import get_path
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.table_layout import LOADED_AT, ROW_HASH


@dataclass(frozen=True)
class KnownParent:
    """A parent with the partition it belongs to.

    Attributes:
        parent: its values in the child's path.
        partition: key of the partition that it belongs to.
        version: text that changes when the parent's row changes.
        id: the parent's own key; its name in the path may be another parent's tomorrow.
    """

    parent: Parent
    partition: str
    version: str | None
    id: str | None = None


# The one partition of a child that the contract in use serves in one list, without its parents (k6's projects in v6).
EVERY_PARENT = KnownParent(Parent("all"), "all", None)

# What stands for the parent of a list that has none.
NO_PARENT_KNOWN = KnownParent(NO_PARENT, "", None)


@dataclass(frozen=True)
class Parents:
    """The parents in the warehouse, and the keys of those that lack a value that the path needs."""

    known: list[KnownParent]
    incomplete: list[str]


def known_parents(
    platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings | None
) -> list[KnownParent]:
    """Parents of `resource` whose children can be read: see `find_parents`."""
    if not resource.endpoint.parents:
        return [EVERY_PARENT]
    return find_parents(platform, resource, session, settings).known


def find_parents(
    platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings | None
) -> Parents:
    """Parents of `resource` in the warehouse, within the configured scope, without removed ones.

    Without `settings` no scope applies. Raises AnswerError if two different parents would share one key.
    """
    found: dict[str, tuple[Any, KnownParent]] = {}
    incomplete: set[str] = set()
    for row in parent_rows(platform, resource, session, settings):
        known = row.known
        if known is None:
            incomplete.add(row.own_key)
            continue
        before = found.get(known.parent.key)
        if before is not None and before[1].parent.values != known.parent.values:
            raise AnswerError(f"two parents share the key {known.parent.key!r}")
        # Of two rows with one name the older is another parent's, which was removed or renamed.
        if before is None or (before[1].id != known.id and row.loaded_at > before[0]):
            found[known.parent.key] = (row.loaded_at, known)
    return Parents([known for _, known in found.values()], sorted(incomplete))


def names_are_keys(platform: Platform, resource: Resource) -> bool:
    """Whether the path has the parent's own key: each row is then a parent of its own, and keeps its name."""
    parents = resource.endpoint.parents
    names = parents_of(platform, resource)
    if len(names) != 1 or platform.resource(names[0]).endpoint.parents:
        return False
    key = platform.primary_key_of(platform.resource(names[0]))
    return [resolve.field for resolve in parents.values()] == list(key)


@dataclass(frozen=True)
class ParentRow:
    """A row of the parent's table that is in the configured scope.

    Attributes:
        own_key: the parent's primary key.
        loaded_at: when the row was last loaded.
        known: the parent; None if the row lacks a value that the path needs.
    """

    own_key: str
    loaded_at: Any
    known: KnownParent | None


def parent_rows(
    platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings | None
) -> Iterator[ParentRow]:
    """The rows of the parent's table as parents of `resource`, read piece by piece. See `find_parents`.

    Of several parents, the combinations of their rows.
    """
    names = parents_of(platform, resource)
    sources = [_SourceRows(platform, resource, name, session, settings) for name in names]
    if len(sources) == 1:
        for row in sources[0]:
            known = None if row.values is None else _known_parent(resource, row.values, row.version, row.id)
            yield ParentRow(row.own_key, row.loaded_at, known)
        return
    whole: list[list[_SourceRow]] = []
    for source in sources:
        newest: dict[tuple[str, ...], _SourceRow] = {}
        for row in source:
            if row.values is None:
                yield ParentRow(row.own_key, row.loaded_at, None)
                continue
            named = tuple(map(str, row.values.values()))
            if named not in newest or newest[named].loaded_at < row.loaded_at:
                newest[named] = row
        whole.append(list(newest.values()))
    places = list(resource.endpoint.parents)
    for rows in product(*whole):
        found = {place: value for row in rows for place, value in (row.values or {}).items()}
        values = {place: found[place] for place in places}
        versions = "\n".join(str(row.version) for row in rows)
        # Of one without an identity its name counts.
        ids = [row.id or partition_key(list((row.values or {}).values())) for row in rows]
        id = partition_key(ids) if any(row.id is not None for row in rows) else None
        own_key = "/".join(row.own_key for row in rows)
        loaded_at = max(row.loaded_at for row in rows)
        yield ParentRow(own_key, loaded_at, _known_parent(resource, values, versions, id))


@dataclass(frozen=True)
class _SourceRow:
    """A row of one parent resource. `values`: place of the child's request -> value; None if one is missing."""

    own_key: str
    loaded_at: Any
    values: Mapping[str, object] | None
    version: str | None
    id: str | None


@dataclass(frozen=True)
class _SourceRows:
    """The rows of one of a child's parent resources, within the configured scope.

    A row that was itself read for a parent counts only as long as that parent does.
    """

    platform: Platform
    resource: Resource
    name: str
    session: WarehouseSession
    settings: Settings | None

    def __iter__(self) -> Iterator[_SourceRow]:
        platform, parent = self.platform, self.platform.resource(self.name)
        placed = {
            place: field
            for place, resolve in self.resource.endpoint.parents.items()
            if (field := field_in(platform, self.name, resolve)) is not None
        }
        fields = list(placed.values())
        scopes = [scope for scope in platform.scopes if scope.resource == parent.name]
        scope_values = dict(self.settings.scopes) if self.settings else {}
        above = _Above(platform, parent, self.session, self.settings)
        identities = [None if field in above.columns else _identity(platform, parent, field) for field in fields]
        own_key = list(platform.primary_key_of(parent))
        wanted = [*fields, *filter(None, identities), *own_key, *(scope.field for scope in scopes), *above.columns]
        for row in _rows(self.session, parent, wanted):
            if not _in_scope([(scope_values.get(scope.setting), row.value(scope.field)) for scope in scopes]):
                continue
            if not above.has(row):
                continue
            key = "/".join(str(row.value(field)) for field in own_key)
            path_values = [row.value(field) for field in fields]
            if any(value is None for value in path_values):
                yield _SourceRow(key, row.loaded_at, None, None, None)
                continue
            # If the object that holds the name has no key of its own, the name identifies it. With nothing but names
            # there is no identity beside the parent's key: a contract that serves the key, too, is not to tell of
            # another parent.
            keys = [
                above.id_of(row) if field in above.columns else None if identity is None else row.value(identity)
                for field, identity in zip(fields, identities, strict=True)
            ]
            identity = [value if key is None else key for key, value in zip(keys, path_values, strict=True)]
            id = "/".join(map(str, identity)) if any(key is not None for key in keys) else None
            yield _SourceRow(key, row.loaded_at, dict(zip(placed, path_values, strict=True)), row.version, id)


class _Above:
    """The parents that the rows of a resource were read for; of a resource without parents nothing is asked.

    Attributes:
        columns: its columns with their values.
    """

    def __init__(
        self, platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings | None
    ) -> None:
        self.columns = [resolve.column for resolve in resource.endpoint.parents.values()]
        self._ids: dict[tuple[str, ...], str | None] = {}
        if self.columns:
            for known in find_parents(platform, resource, session, settings).known:
                self._ids[tuple(map(str, known.parent.values.values()))] = known.id

    def has(self, row: "_Row") -> bool:
        """Whether the parent of a row is still there and in scope, as far as the row says whose it is.

        What another contract loaded in one list does not say it.
        """
        if any(row.value(column) is None for column in self.columns):
            return True
        return not self.columns or self._named(row) in self._ids

    def id_of(self, row: "_Row") -> str | None:
        """What identifies the parent of a row whatever its name is; None if nothing does."""
        return self._ids.get(self._named(row))

    def _named(self, row: "_Row") -> tuple[str, ...]:
        return tuple(str(row.value(column)) for column in self.columns)


def _identity(platform: Platform, parent: Resource, field: str) -> str | None:
    """The field that identifies the object of a path's field whatever its name is: the key beside it, or None."""
    key = platform.primary_key_of(parent)[0]
    if key == CONTENT_KEY:
        # It changes with the content: a parent that has changed is no other parent.
        return None
    return f"{field.rpartition('.')[0]}.{key}" if "." in field else key


@dataclass(frozen=True)
class _Row:
    """A row of the parent's table: values of raw fields, also of dotted ones in JSON columns."""

    columns: Mapping[str, Any]
    naming: Any
    version: str | None
    loaded_at: Any

    def value(self, field: str) -> Any:
        first, _, rest = field.partition(".")
        value = self.columns[self.naming.normalize_identifier(first)]
        if not rest:
            return value
        return get_path(orjson.loads(value) if isinstance(value, str) else value, rest)


def _rows(session: WarehouseSession, parent: Resource, fields: Sequence[str]) -> Iterator[_Row]:
    naming = session.naming
    incremental = parent.endpoint.incremental
    cursor = naming.normalize_identifier(incremental.cursor_path) if incremental else ROW_HASH
    wanted = [naming.normalize_identifier(field.split(".")[0]) for field in fields]
    columns = list(dict.fromkeys([*wanted, cursor, ROW_HASH, LOADED_AT]))
    for rows in session.current_values(parent.name, columns):
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            # A parent without a cursor value can change too, which its content hash shows.
            version = _as_text(values[cursor] if values[cursor] is not None else values[ROW_HASH])
            yield _Row(values, naming, version, values[LOADED_AT])


def _known_parent(resource: Resource, values: Mapping[str, object], version: str | None, id: str | None) -> KnownParent:
    key = partition_key(list(values.values()))
    partition = resource.partition.key_of(key) if isinstance(resource.partition, Buckets) else key
    return KnownParent(Parent(key, values), partition, version, id)


def _as_text(version: Any) -> str | None:
    """A value's text, independent of the time zone of the database session."""
    if isinstance(version, datetime):
        version = version.astimezone(UTC)
    return None if version is None else str(version)


def _in_scope(pairs: Iterable[tuple[tuple[str, ...] | None, Any]]) -> bool:
    return all(allowed is None or str(value) in allowed for allowed, value in pairs)
