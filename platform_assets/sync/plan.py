"""What a sync is going to read: per resource its due parents, where each read starts, and the rows already there.

    declaration + warehouse (schema, state, parents, known rows) -> Plan of one Read, or one Read per due parent

Planning holds the warehouse and sends no request; reading sends requests and does not need the warehouse.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import numpy as np

from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.arrow.columns import ARROW_TYPES, Columns
from platform_assets.arrow.hashes import is_member
from platform_assets.configuration.platform_settings import Settings
from platform_assets.counted import counted
from platform_assets.declarations import (
    Buckets,
    Configured,
    Incremental,
    OnRemoval,
    PlatformAssetsError,
    RecordCursor,
    Resource,
    path_values,
)
from platform_assets.declarations.ancestry import parents_of
from platform_assets.extraction.details import wanted_details
from platform_assets.extraction.edge import upper_bound_param
from platform_assets.extraction.queries import Bounds
from platform_assets.http.errors import AnswerError
from platform_assets.sync.context import Selection, SyncContext
from platform_assets.sync.due import DueParents, find_due, last_of
from platform_assets.sync.known_rows import (
    NO_HASHES,
    all_keys,
    key_columns,
    keys_by_parent,
    keys_with_other_values,
    row_hashes,
)
from platform_assets.sync.outcome import PartitionOutcome, ResourceOutcome, latest
from platform_assets.sync.parents import EVERY_PARENT, NO_PARENT_KNOWN
from platform_assets.sync.planned import Plan, Read
from platform_assets.sync.window import start_of_read
from platform_assets.warehouse import Progress
from platform_assets.warehouse.dlt_source import table_columns
from platform_assets.warehouse.row_filter import RowFilter
from platform_assets.warehouse.session import WarehouseSession

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planner:
    """Plans the resources of one round while the warehouse is held."""

    context: SyncContext
    session: WarehouseSession

    def plan_all(self) -> list[Plan]:
        """A plan for each selected resource, in the selection's order."""
        platform = self.context.platform
        return [self._plan(platform.resource(name)) for name in self.context.selection.resources]

    def _plan(self, resource: Resource) -> Plan:
        session, incremental = self.session, resource.endpoint.incremental
        existing_types = session.column_types(resource.name)
        assigned = session.assigned_columns(resource.name)
        columns = table_columns(self.context.platform, resource, session.naming, existing_types, assigned)
        retyped = [name for name, kind in resource.columns.items() if columns.types[columns.name_of(name)] != kind]
        if retyped and not session.has_table(resource.name):
            # Somebody dropped it, so that it is made anew, as declared.
            existing_types, retyped = {}, []
            columns = table_columns(self.context.platform, resource, session.naming, existing_types, assigned)
        if retyped:
            asset = f"{self.context.platform.name}/{resource.name}"
            kept = ", ".join(f"`{name}` {columns.types[columns.name_of(name)]}" for name in retyped)
            log.warning("%s: the table keeps %s, as it was first loaded: drop it for the declared types", asset, kept)
        outcome = ResourceOutcome(name=resource.name, cursor_field=incremental.cursor_path if incremental else None)

        starts_anew = self._starts_anew(resource, outcome)
        if resource.name in self.context.platform.unserved:
            outcome.unserved = self.context.platform.unserved[resource.name]
        if resource.endpoint.parents and outcome.unserved is None:
            found = self._due_parents(resource, outcome, starts_anew=starts_anew)
        else:
            found = self._whole_list(resource, outcome)
        reads = [
            Read(
                known.parent,
                known.partition,
                known.version,
                known.id,
                last=None if starts_anew else last_of(known, found.recorded),
            )
            for known in found.due
        ]
        for read in reads:
            entry = found.recorded.get(read.parent.key)
            read.recorded = (entry.succeeded_at, entry.unread_before) if entry else (None, None)
            read.replaces_parent = entry is not None and not entry.is_of(read.parent_id)
        _set_parent_names(reads, found)
        self._set_starts(resource, reads, columns, outcome)

        rows_read = self._rows_read(resource, reads)
        if resource.removal_policy is not OnRemoval.IGNORE and reads and outcome.unserved is None:
            self._set_known_keys(resource, reads, rows_read, columns)
        return Plan(
            resource=resource,
            buffer=self._buffer(resource, reads, rows_read, columns, existing_types),
            reads=reads,
            existed=bool(existing_types),
            starts_anew=starts_anew,
            parent_types={name: ARROW_TYPES[columns.types[name]] for name in rows_read.columns},
            postponed=found.postponed,
            known_parents=found.known,
            other_parents_ok=found.others_ok,
            outcome=outcome,
        )

    def _starts_anew(self, resource: Resource, outcome: ResourceOutcome) -> bool:
        """Whether somebody else deleted rows from the table, or put them back. Says so in the outcome."""
        recorded, found = self.session.contents(resource.name)
        if recorded is None or recorded.is_still(found):
            return False
        outcome.reset = f"the table has {counted(found.row_count, 'row')} where the last sync left {recorded.row_count}"
        return True

    def _whole_list(self, resource: Resource, outcome: ResourceOutcome) -> DueParents:
        """A list that is read without parents, or that the contract in use serves without them."""
        whole = NO_PARENT_KNOWN
        if resource.partition and outcome.unserved is None:
            whole = EVERY_PARENT
            outcome.partitions[whole.partition] = PartitionOutcome(whole.partition)
        recorded = {parent: entry for (_, parent), entry in self.session.progress([resource.name]).items()}
        known = frozenset() if resource.endpoint.parents else frozenset({whole.parent.key})
        return DueParents([whole], recorded=recorded, known=known)

    def _due_parents(self, resource: Resource, outcome: ResourceOutcome, *, starts_anew: bool) -> DueParents:
        """The parents to read. If the parents are unavailable: none, and an error in the outcome."""
        context = self.context
        try:
            for parent in parents_of(context.platform, resource):
                if not self.session.has_table(parent):
                    outcome.parent_missing = True
                    raise AnswerError(f"its parent {context.platform.name}/{parent} was never loaded; load that first")
            found = find_due(
                context.platform,
                resource,
                self.session,
                context.settings,
                context.selection,
                starts_anew=starts_anew,
            )
            if context.selection.left is None:
                _check_selected_exist(resource, context.selection, found)
            _check_any_complete(resource, found)
        except PlatformAssetsError as error:
            outcome.error = f"{context.platform.name}/{resource.name}: {error}"
            return DueParents()
        outcome.incomplete_parents = found.incomplete
        for key in sorted(_selected_partitions(context.selection, found)):
            outcome.partitions[key] = PartitionOutcome(key)
        return found

    def _set_starts(self, resource: Resource, reads: list[Read], columns: Columns, outcome: ResourceOutcome) -> None:
        incremental, start_date = resource.endpoint.incremental, self.context.settings.start_date
        lists = [one.incremental for one in resource.endpoint.lists]
        oldest_open = [self._oldest_open(resource, one, columns) for one in lists]
        oldest_row = None
        if incremental is not None and start_date is not None:
            oldest_row = self.session.oldest_moment(resource.name, columns.name_of(incremental.cursor_path))
        for read in reads:
            last = read.last
            outcome.cursor = latest([outcome.cursor, last.cursor_value if last else None])
            if self._begins_anew(resource, read):
                last = None
            cursor, read_at = (last.cursor_value, last.succeeded_at) if last else (None, None)
            starts = (
                start_of_read(one, cursor, read_at, start_date, unfinished, oldest_row)
                for one, unfinished in zip(lists, oldest_open, strict=True)
            )
            bounds = self._bounds(resource, columns, tuple(starts), is_first=last is None or read_at is None)
            read.bounds = self._with_rest(resource, read, bounds, last)

    def _rest_param(self, resource: Resource) -> str | None:
        return upper_bound_param(resource.endpoint, self.context.platform.paginator_of(resource))

    def _begins_anew(self, resource: Resource, read: Read) -> bool:
        """Whether nothing counts that was read before.

        A full refresh begins anew in its first round. What a contract has left can only be read by a contract that has
        an upper bound.
        """
        if read.last is not None and read.last.unread_before is not None and self._rest_param(resource) is None:
            return True
        selection = self.context.selection
        return selection.full_refresh and not selection.is_continued(resource.name, read.parent.key)

    def _with_rest(self, resource: Resource, read: Read, bounds: Bounds, last: Progress | None) -> Bounds:
        """The bounds with what an unfinished first read has left."""
        left = last.unread_before if last else None
        param = self._rest_param(resource)
        rest = {} if left is None or param is None else {param: left}
        return replace(
            bounds,
            rest=rest,
            rest_from=self.context.settings.start_date if rest else None,
            only_rest=bool(rest) and self.context.selection.is_continued(resource.name, read.parent.key),
            # What is missing from a part of a list may well be in another one.
            in_parts=resource.removal_policy is OnRemoval.IGNORE and not self._would_skip(resource, read, last),
        )

    def _would_skip(self, resource: Resource, read: Read, last: Progress | None) -> bool:
        """Whether a part of a read that begins anew would be followed by what is newer than the cursor on record.

        A cursor never goes back, so where the cursor alone says where to go on, everything between would be skipped.
        """
        upwards = any(
            one.incremental is not None and (one.incremental.row_order == "asc" or one.incremental.step is not None)
            for one in resource.endpoint.lists
        )
        return upwards and last is None and read.last is not None and read.last.cursor_value is not None

    def _bounds(
        self, resource: Resource, columns: Columns, starts: tuple[datetime | None, ...], *, is_first: bool
    ) -> Bounds:
        paginator, incremental = self.context.platform.paginator_of(resource), resource.endpoint.incremental
        largest = None
        if isinstance(paginator, RecordCursor) and incremental is not None and starts[0] is not None:
            names = columns.name_of(paginator.field), columns.name_of(incremental.cursor_path)
            largest = self.session.largest_before(resource.name, *names, starts[0])
        return Bounds(starts, self.context.started, largest, is_first)

    def _oldest_open(self, resource: Resource, incremental: Incremental | None, columns: Columns) -> datetime | None:
        """Cursor of the oldest row in the table that is unfinished for this list."""
        if incremental is None:
            return None
        cursor = columns.name_of(incremental.cursor_path)
        found = [
            self.session.oldest(resource.name, cursor, columns.name_of(name), values)
            for name, values in incremental.reopen.items()
        ]
        return min((moment for moment in found if moment is not None), default=None)

    def _rows_read(self, resource: Resource, reads: list[Read]) -> RowFilter:
        """Filter of the table's rows whose parent is read."""
        naming = self.session.naming
        return RowFilter(
            columns=tuple(naming.normalize_identifier(r.column) for r in resource.endpoint.parents.values()),
            parents=tuple(name for read in reads for name in read.parent_names),
        )

    def _set_known_keys(self, resource: Resource, reads: list[Read], rows_read: RowFilter, columns: Columns) -> None:
        key = key_columns(self.context.platform, resource, columns)
        names = [read.parent_names for read in reads]
        found = keys_by_parent(self.session, resource.name, key, rows_read, names)
        if found is not None:
            elsewhere = self._keys_not_asked_for(resource, key, columns)
            for read, keys in zip(reads, found, strict=True):
                read.known_keys = keys[~is_member(keys, elsewhere)] if len(elsewhere) else keys

    def _keys_not_asked_for(self, resource: Resource, key: Sequence[str], columns: Columns) -> np.ndarray:
        """Hashes of the keys of rows that came by a value that a setting no longer has, as of another organization."""
        found = [NO_HASHES]
        for one in resource.endpoint.lists:
            for path, parameter in (one.record.from_path if one.record else {}).items():
                declared = one.values.get(parameter)
                if isinstance(declared, Configured):
                    column, _, inner = path.partition(".")
                    values = self.context.settings.configured[declared.setting]
                    name = columns.name_of(column)
                    found.append(keys_with_other_values(self.session, resource.name, key, name, inner, values))
        return np.sort(np.concatenate(found))

    def _buffer(
        self,
        resource: Resource,
        reads: list[Read],
        rows_read: RowFilter,
        columns: Columns,
        existing_types: Mapping[str, str],
    ) -> ParquetBuffer:
        """The buffer that takes the resource's records, with the hashes of the rows that need not be loaded again."""
        context, session, incremental = self.context, self.session, resource.endpoint.incremental
        known = NO_HASHES
        if existing_types and reads and not context.selection.full_refresh:
            starts = [start for read in reads for start in read.bounds.starts]
            if incremental and all(starts) and not any(read.bounds.rest for read in reads):
                oldest = min(start for start in starts if start)
                rows_read = replace(rows_read, since=(columns.name_of(incremental.cursor_path), oldest))
            known = row_hashes(session, resource.name, rows_read)
        not_before = context.settings.start_date if incremental and incremental.bounded else None
        wanted_anyway = NO_HASHES
        if not_before and existing_types:
            wanted_anyway = all_keys(session, resource.name, key_columns(context.platform, resource, columns))
        return ParquetBuffer(
            context.warehouse.folder / "buffer" / resource.name / f"{context.started:%H%M%S%f}",
            columns,
            context.platform.primary_key_of(resource),
            incremental.cursor_path if incremental else None,
            known,
            fingerprint(resource, context.settings),
            context.started,
            not_before,
            wanted_anyway=wanted_anyway,
            holds_nul=session.holds_nul,
        )


def _set_parent_names(reads: Sequence[Read], parents: DueParents) -> None:
    """Give every read its parent's path values; rows under a name that the parent had before a rename are its own."""
    due = {known.parent.key for known in parents.due}
    former: dict[str, list[str]] = {}
    for key, entry in parents.recorded.items():
        if entry.parent_id is not None and key not in due and key not in parents.known:
            former.setdefault(entry.parent_id, []).append(key)
    for read in reads:
        own = tuple(read.parent.values.values())
        earlier = former.get(read.parent_id, []) if read.parent_id is not None else []
        read.parent_names = [own, *(name for key in earlier if len(name := path_values(key, len(own))) == len(own))]


def _check_selected_exist(resource: Resource, selection: Selection, parents: DueParents) -> None:
    """Raise AnswerError for a selected partition or parent that is not in the warehouse."""
    partitions = set(parents.partitions)
    if isinstance(resource.partition, Buckets):
        partitions.update(resource.partition.keys)
    unknown = sorted((selection.partitions or frozenset()) - partitions) or sorted(
        key for key in selection.parents or () if key not in parents.known
    )
    if unknown:
        raise AnswerError(f"no parent in {resource.parent} for {', '.join(map(repr, unknown[:5]))}")


def _check_any_complete(resource: Resource, parents: DueParents) -> None:
    """Raise AnswerError if every parent lacks a value that the path needs: reading nothing is not a success."""
    if parents.incomplete and not parents.partitions:
        fields = ", ".join(f"`{resolve.field}`" for resolve in resource.endpoint.parents.values())
        raise AnswerError(
            f"its parent {resource.parent} has {counted(len(parents.incomplete), 'row')}, none with {fields}"
        )


def _selected_partitions(selection: Selection, parents: DueParents) -> set[str]:
    """The partitions whose outcome the sync reports, including those without a due parent."""
    if selection.parents is not None:
        return {known.partition for known in parents.due if known.parent.key in selection.parents}
    if selection.partitions is not None:
        return set(selection.partitions)
    return set(parents.partitions)


def fingerprint(resource: Resource, settings: Settings) -> bytes:
    """Changes when a declaration or a setting changes what a record becomes, so that it is loaded again."""
    what: list[object] = [
        sorted(resource.columns.items()),
        sorted(resource.exclude),
        sorted(resource.key_fallback.items()),
    ]
    left_out = sorted(entry for entry in settings.exclude_fields if entry.startswith(f"{resource.name}."))
    private = [*left_out, *((resource.personal, settings.personal_salt) if settings.personal_salt else ())]
    if private or resource.endpoint.exclude:
        what += [private, sorted(resource.endpoint.exclude)]
    details = [detail for one in resource.endpoint.lists for detail in wanted_details(resource, one, settings)]
    if details:
        what.append([(detail.path, sorted(detail.fields)) for detail in details])
    return blake2b(repr(tuple(what)).encode(), digest_size=16).digest()
