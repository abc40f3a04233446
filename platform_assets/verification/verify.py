"""One verification: read a resource from its beginning, take its table as it is, compare, mend where asked to.

The warehouse is held only while its schema is read and while a table is copied to the working folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.buffer import LOADED_AT, ROW_HASH
from platform_assets.arrow.columns import Columns
from platform_assets.declarations import OnRemoval, Resource
from platform_assets.extraction.reading import NO_PARENT, Parent
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.sync.account import agree_on_source
from platform_assets.sync.parents import known_parents
from platform_assets.sync.run import without_full_collections
from platform_assets.verification.compare import Compared, Comparison, Shape, Unit
from platform_assets.verification.findings import Kind, Verification
from platform_assets.verification.fix import fix_table
from platform_assets.verification.served import Budget, Reading, Served, parent_column_types
from platform_assets.warehouse import Progress, Warehouse
from platform_assets.warehouse.dlt_source import DELETED_AT, table_columns
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import Source

__all__ = ["EXAMPLES", "Budget", "verify"]

EXAMPLES = 10
"""Findings of each kind that are shown."""
_OURS = frozenset({ROW_HASH, LOADED_AT, DELETED_AT, "_dlt_load_id"})


def verify(
    client: ApiClient,
    warehouse: Warehouse,
    names: Sequence[str],
    *,
    fix: bool = False,
    examples: int = EXAMPLES,
    budget: Budget | None = None,
    first_parents: Mapping[str, str] | None = None,
) -> Iterator[Verification]:
    """Verify resources one after the other, as the caller asks for them.

    With `fix`, parents come before their children, what differs is mended, and each mended resource is read and
    compared again: its verification is the second one. With `budget` reading ends when that is spent (a child's
    parents in the order of their keys, from the one in `first_parents` on) and resources that were not reached
    are left out. What fails inside one resource is in its verification; raises WarehouseError where the warehouse
    is not available, and AnotherAccount where it holds another account's rows.
    """
    platform = client.platform
    job = _Job(client, warehouse, agree_on_source(client, warehouse), examples)
    ordered = sorted(names, key=lambda name: platform.resource(name).parent is not None) if fix else names
    for name in ordered:
        if budget is not None and budget.is_exhausted:
            return
        resource = platform.resource(name)
        with without_full_collections():
            yield job.verified(resource, fix, budget, (first_parents or {}).get(name))


@dataclass
class _Plan:
    """What the warehouse says of a resource before it is read."""

    columns: Columns
    parent_types: dict[str, pa.DataType]
    parents: list[Parent]
    progress: dict[tuple[str, str], Progress]
    holds_nul: bool


@dataclass(frozen=True)
class _Job:
    client: ApiClient
    warehouse: Warehouse
    source: Source
    examples: int

    def verified(
        self, resource: Resource, fix: bool, budget: Budget | None = None, first_parent: str | None = None
    ) -> Verification:
        try:
            found = self._verified(resource, fix, budget, first_parent)
        except AnswerError as error:
            return Verification(resource.name, error=str(error))
        if found.mended is None:
            return found
        again = self.verified(resource, fix=False)
        again.mended = found.mended
        again.requests += found.requests
        again.pages += found.pages
        return again

    def _verified(self, resource: Resource, fix: bool, budget: Budget | None, first_parent: str | None) -> Verification:
        began = datetime.now(UTC)
        folder = Path(mkdtemp(prefix=f"verify-{resource.name}-", dir=self.warehouse.folder))
        with self.warehouse.session() as session:
            plan = self._plan(resource, session)
        parents = _from(plan.parents, first_parent)
        reading = Reading(
            self.client,
            resource,
            plan.columns,
            plan.parent_types,
            folder / "served",
            began,
            plan.holds_nul,
        )
        served = reading.read(parents, budget)
        verification = self._report(resource, plan, parents, served)
        if verification.error is not None:
            return verification
        shape = self._shape(resource, plan, reading.not_before)
        with self.warehouse.session(refresh=False) as session:
            stored = _copied(session, resource.name, shape, folder / "stored.parquet")
        units = [_unit(resource, plan, parent, is_whole) for parent, is_whole in _read_parents(served)]
        moment = datetime.now(UTC)
        comparison = Comparison(shape, served.content.files, stored, units, served.listed, began, moment, folder)
        with comparison:
            compared = comparison.result(self.examples)
            _fill(verification, compared)
            if fix and (verification.differences or sum(compared.late.values())):
                extra = comparison.parents_of_extra() if compared.counts[Kind.EXTRA] else []
                verification.mended = fix_table(
                    self.client,
                    self.warehouse,
                    self.source,
                    resource,
                    served.content,
                    comparison,
                    frozenset(p.key for p in parents if tuple(p.values.values()) in set(extra)),
                    compared.counts,
                )
        return verification

    def _plan(self, resource: Resource, session: WarehouseSession) -> _Plan:
        """Raises AnswerError for a resource that was never loaded, or whose parents were not."""
        progress = session.progress([resource.name])
        if not progress and not session.has_table(resource.name):
            raise AnswerError("it was never loaded; sync it first")
        assigned = session.assigned_columns(resource.name)
        types = session.column_types(resource.name)
        columns = table_columns(self.client.platform, resource, session.naming, types, assigned)
        parents = [NO_PARENT]
        if resource.endpoint.parents:
            if not session.has_table(str(resource.parent)):
                raise AnswerError(f"its parent {self.client.platform.name}/{resource.parent} was never loaded")
            known = known_parents(self.client.platform, resource, session, self.client.settings)
            parents = sorted((one.parent for one in known), key=lambda parent: parent.key)
        types = parent_column_types(resource, columns, session.naming)
        return _Plan(columns, types, parents, progress, session.holds_nul)

    def _report(self, resource: Resource, plan: _Plan, parents: Sequence[Parent], served: Served) -> Verification:
        found = Verification(
            resource.name, requests=served.counts["requests"], pages=served.counts["pages"], not_verified=served.failed
        )
        # A parent that takes more than the budget must not keep the others waiting for ever.
        read = len(served.whole) + len(served.failed) + len(served.part)
        found.complete = read == len(parents) and not served.part
        if plan.parent_types:
            found.parents_known, found.parents_verified = len(parents), len(served.whole)
            found.next_parent = parents[read].key if read < len(parents) else None
        elif served.failed:
            found.error, found.not_verified = served.failed[NO_PARENT.key], {}
        return found

    def _shape(self, resource: Resource, plan: _Plan, not_before: datetime | None) -> Shape:
        name_of = plan.columns.name_of
        incremental = resource.endpoint.incremental
        return Shape(
            types={name: kind for name, kind in plan.columns.types.items() if name not in _OURS},
            key=tuple(name_of(name) for name in self.client.platform.primary_key_of(resource)),
            parents=tuple(plan.parent_types),
            cursor=name_of(incremental.cursor_path) if incremental else None,
            deleted_at=DELETED_AT,
            loaded_at=LOADED_AT,
            keeps_absent=resource.removal_policy is OnRemoval.IGNORE,
            not_before=not_before,
        )


def _from(parents: Sequence[Parent], first: str | None) -> list[Parent]:
    """The parents in the order of their keys, beginning with `first` (or where it was) and going round."""
    later = [parent for parent in parents if first is None or parent.key >= first]
    return [*later, *parents[: len(parents) - len(later)]]


def _read_parents(served: Served) -> Iterator[tuple[Parent, bool]]:
    yield from ((parent, True) for parent in served.whole)
    yield from ((parent, False) for parent in served.part)


def _unit(resource: Resource, plan: _Plan, parent: Parent, is_whole: bool) -> Unit:
    last = plan.progress.get((resource.name, parent.key))
    return Unit(
        values=tuple(parent.values.values()),
        whole=is_whole,
        synced=last is not None and last.succeeded_at is not None,
        until=last.cursor_value if last is not None else None,
    )


def _copied(session: WarehouseSession, table: str, shape: Shape, target: Path) -> list[Path]:
    """The table's rows in a Parquet file; no file where there are none."""
    wanted = [*shape.types, *(name for name in (shape.deleted_at, shape.loaded_at) if name)]
    writer: pq.ParquetWriter | None = None
    for batch in session.row_batches(table, wanted, shape.types):
        writer = writer or pq.ParquetWriter(target, batch.schema, compression="lz4", use_dictionary=False)
        writer.write_table(batch)
    if writer is None:
        return []
    writer.close()
    return [target]


def _fill(verification: Verification, compared: Compared) -> None:
    verification.rows_served, verification.rows_in_table = compared.rows_served, compared.rows_in_table
    verification.counts, verification.not_synced_yet = compared.counts, compared.late
    verification.examples, verification.not_synced_examples = compared.examples, compared.late_examples
