"""One verification: read a resource from its beginning, copy its table, compare both, and fix the table if requested.

The warehouse is held only while its schema is read and while the table is copied to the run directory. Syncs may run
meanwhile; what they write counts as not synced yet and not as a difference.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import pyarrow.parquet as pq

from platform_assets.arrow.columns import Columns
from platform_assets.declarations import OnRemoval, Resource
from platform_assets.declarations.ancestry import depth, parents_of
from platform_assets.extraction.queries import NO_PARENT, Parent
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.sync.account import agree_on_source
from platform_assets.sync.parents import known_parents
from platform_assets.sync.run import without_full_collections
from platform_assets.verification.compare import Comparison, ComparisonResult
from platform_assets.verification.findings import Kind, Verification
from platform_assets.verification.fix import fix_table
from platform_assets.verification.served import Budget, Served, ServedReader, parent_column_types
from platform_assets.verification.table_shape import ReadExtent, TableShape
from platform_assets.warehouse import Progress, Warehouse
from platform_assets.warehouse.dlt_source import table_columns
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import Source
from platform_assets.warehouse.table_layout import DELETED_AT, LOADED_AT, OWN_COLUMNS

__all__ = ["EXAMPLES", "Budget", "verify"]

# How many findings of each kind are shown.
EXAMPLES = 10


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
    """Verify resources of the client's platform one after the other, lazily.

    What fails inside one resource is in its verification and does not stop the others.

    Args:
        names: the resources.
        fix: fix what differs, parents before their children. Each fixed resource is read and compared again, and its
            verification is the second one.
        examples: how many findings of each kind to report.
        budget: stop reading when it is used up. Resources that were not reached are left out.
        first_parents: resource -> key of the parent to begin with, for a child resource that a budget may not cover.

    Raises:
        WarehouseError: the warehouse is unavailable.
        AnotherAccount: the warehouse has rows of another account than the settings name.
    """
    platform = client.platform
    job = _Job(client, warehouse, agree_on_source(client, warehouse), examples)
    ordered = sorted(names, key=lambda name: depth(platform, platform.resource(name))) if fix else names
    for name in ordered:
        if budget is not None and budget.is_exhausted:
            return
        resource = platform.resource(name)
        with without_full_collections():
            yield job.verify(resource, fix, budget, (first_parents or {}).get(name))


@dataclass
class _Plan:
    """What the warehouse knows of a resource before it is read."""

    columns: Columns
    parent_types: dict[str, pa.DataType]
    parents: list[Parent]
    progress: dict[tuple[str, str], Progress]
    holds_nul: bool


@dataclass(frozen=True)
class _Job:
    """One verification of some resources."""

    client: ApiClient
    warehouse: Warehouse
    source: Source
    examples: int

    def verify(
        self, resource: Resource, fix: bool, budget: Budget | None = None, first_parent: str | None = None
    ) -> Verification:
        unserved = self.client.platform.unserved.get(resource.name)
        if unserved is not None:
            return Verification(resource.name, unserved=unserved)
        try:
            found = self._verify_once(resource, fix, budget, first_parent)
        except AnswerError as error:
            return Verification(resource.name, error=str(error))
        if found.fixed is None:
            return found
        again = self.verify(resource, fix=False)
        again.fixed = found.fixed
        again.requests += found.requests
        again.pages += found.pages
        return again

    def _verify_once(
        self, resource: Resource, fix: bool, budget: Budget | None, first_parent: str | None
    ) -> Verification:
        began = datetime.now(UTC)
        folder = Path(mkdtemp(prefix=f"verify-{resource.name}-", dir=self.warehouse.folder))
        with self.warehouse.session() as session:
            plan = self._plan(resource, session)
        parents = _starting_from(plan.parents, first_parent)
        reader = ServedReader(
            self.client,
            resource,
            plan.columns,
            plan.parent_types,
            folder / "served",
            began,
            plan.holds_nul,
        )
        served = reader.read(parents, budget)
        verification = self._verification(resource, plan, parents, served)
        if verification.error is not None:
            return verification
        shape = self._shape(resource, plan, reader.not_before)
        with self.warehouse.session(refresh=False) as session:
            stored = _copy_table(session, resource.name, shape, folder / "stored.parquet")
        extents = [_extent(resource, plan, parent, is_complete=True) for parent in served.complete]
        extents += [_extent(resource, plan, parent, is_complete=False) for parent in served.partial]
        ended = datetime.now(UTC)
        files = served.content.files
        with Comparison(shape, files, stored, extents, served.listed, began, ended, folder) as comparison:
            result = comparison.result(self.examples)
            _fill(verification, result)
            if fix and (verification.differences or sum(result.not_synced.values())):
                extra = comparison.parents_of_extra() if result.counts[Kind.EXTRA] else []
                verification.fixed = fix_table(
                    self.client,
                    self.warehouse,
                    self.source,
                    resource,
                    served.content,
                    comparison,
                    frozenset(p.key for p in parents if tuple(p.values.values()) in set(extra)),
                    result.counts,
                )
        return verification

    def _plan(self, resource: Resource, session: WarehouseSession) -> _Plan:
        """Raises AnswerError if the resource or its parent was never loaded."""
        progress = session.progress([resource.name])
        if not progress and not session.has_table(resource.name):
            raise AnswerError("it was never loaded; sync it first")
        assigned = session.assigned_columns(resource.name)
        types = session.column_types(resource.name)
        columns = table_columns(self.client.platform, resource, session.naming, types, assigned)
        parents = [NO_PARENT]
        if resource.endpoint.parents:
            for parent in parents_of(self.client.platform, resource):
                if not session.has_table(parent):
                    raise AnswerError(f"its parent {self.client.platform.name}/{parent} was never loaded")
            known = known_parents(self.client.platform, resource, session, self.client.settings)
            parents = sorted((parent.parent for parent in known), key=lambda parent: parent.key)
        types = parent_column_types(resource, columns, session.naming)
        return _Plan(columns, types, parents, progress, session.holds_nul)

    def _verification(self, resource: Resource, plan: _Plan, parents: Sequence[Parent], served: Served) -> Verification:
        found = Verification(
            resource.name, requests=served.counts["requests"], pages=served.counts["pages"], not_verified=served.failed
        )
        # A partly read parent counts as reached: one that needs more than the budget must not keep the others waiting.
        reached = len(served.complete) + len(served.failed) + len(served.partial)
        found.complete = reached == len(parents) and not served.partial
        if plan.parent_types:
            found.parents_known, found.parents_verified = len(parents), len(served.complete)
            found.next_parent = parents[reached].key if reached < len(parents) else None
        elif served.failed:
            found.error, found.not_verified = served.failed[NO_PARENT.key], {}
        return found

    def _shape(self, resource: Resource, plan: _Plan, not_before: datetime | None) -> TableShape:
        name_of = plan.columns.name_of
        incremental = resource.endpoint.incremental
        return TableShape(
            types={name: kind for name, kind in plan.columns.types.items() if name not in OWN_COLUMNS},
            key=tuple(name_of(name) for name in self.client.platform.primary_key_of(resource)),
            parents=tuple(plan.parent_types),
            cursor=name_of(incremental.cursor_path) if incremental else None,
            deleted_at=DELETED_AT,
            loaded_at=LOADED_AT,
            keeps_absent=resource.removal_policy is OnRemoval.IGNORE,
            not_before=not_before,
        )


def _starting_from(parents: Sequence[Parent], first: str | None) -> list[Parent]:
    """The parents in the order of their keys, beginning with `first` (or its place) and wrapping around."""
    later = [parent for parent in parents if first is None or parent.key >= first]
    return [*later, *parents[: len(parents) - len(later)]]


def _extent(resource: Resource, plan: _Plan, parent: Parent, *, is_complete: bool) -> ReadExtent:
    last = plan.progress.get((resource.name, parent.key))
    return ReadExtent(
        parent_values=tuple(parent.values.values()),
        is_complete=is_complete,
        was_synced=last is not None and last.succeeded_at is not None,
        synced_until=last.cursor_value if last is not None else None,
    )


def _copy_table(session: WarehouseSession, table: str, shape: TableShape, target: Path) -> list[Path]:
    """Copy the table's rows to a Parquet file; no file if there are none."""
    wanted = [*shape.types, *(name for name in (shape.deleted_at, shape.loaded_at) if name)]
    writer: pq.ParquetWriter | None = None
    for batch in session.row_batches(table, wanted, shape.types):
        writer = writer or pq.ParquetWriter(target, batch.schema, compression="lz4", use_dictionary=False)
        writer.write_table(batch)
    if writer is None:
        return []
    writer.close()
    return [target]


def _fill(verification: Verification, result: ComparisonResult) -> None:
    verification.rows_served, verification.rows_in_table = result.rows_served, result.rows_in_table
    verification.counts, verification.not_synced_yet = result.counts, result.not_synced
    verification.examples, verification.not_synced_examples = result.examples, result.not_synced_examples
