"""Reads what no sync is needed for: dbt's marts for the report, our own records for `status` and `check`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_assets.warehouse import migrations, source_account, state
from platform_assets.warehouse.backends import Reader, configured_backend
from platform_assets.warehouse.errors import UndefinedTable, WarehouseError
from platform_assets.warehouse.location import check_settings, lock_wait

__all__ = ["Reader", "Recorded", "Rows", "reading", "recorded", "recorded_rows", "recorded_source", "rows"]

Rows = list[dict[str, Any]]
NO_READS = state.Summary()


@dataclass(frozen=True)
class Recorded:
    """What the warehouse knows of one resource.

    Attributes:
        reads: what is on record of its reads, one per parent.
        rows: in its table, soft-deleted ones included.
        last_load: when a sync last loaded it, or any parent of it.
    """

    reads: state.Summary = NO_READS
    rows: int = 0
    last_load: datetime | None = None


@contextmanager
def reading(schema: str = "", *, wait: float | None = None, or_copy: bool = False) -> Iterator[Reader]:
    """Read tables through a connection that cannot write.

    Args:
        schema: where the reader begins, e.g. `marts` or `crm`; it goes on to others by `use`.
        wait: seconds to wait for another process, `[warehouse] lock_wait` by default.
        or_copy: if another process lets nobody read for half a second, read what it last committed, and say so on
            stderr. Not for what decides over rows.

    Raises WarehouseError if the warehouse is unavailable, or a DuckDB file that does not exist, which is not made.
    """
    check_settings()
    backend = configured_backend()
    missing = backend.missing_file()
    if missing is not None:
        raise WarehouseError(f"there is no warehouse at {missing} yet: `platform-assets sync` makes it")
    with backend.reading(schema, lock_wait() if wait is None else wait, or_copy=or_copy) as reader:
        yield reader


def rows(reader: Reader, query: str) -> Rows:
    """Rows as column -> value; none if a table does not exist yet.

    Raises WarehouseError if a table lacks a column, e.g. because its model was built by another version.
    """
    try:
        names, found = reader.run(query, ())
    except UndefinedTable:
        return []
    except WarehouseError as error:
        raise WarehouseError(f"the models in the warehouse are not those of this version ({error})") from None
    return [dict(zip(names, row, strict=True)) for row in found]


def recorded(reader: Reader, resources: Sequence[str]) -> dict[str, Recorded]:
    """Resource -> what the warehouse knows of it; `reader` reads its platform's schema.

    Raises WarehouseError if a newer release has written it.
    """
    tables = reader.tables()
    if migrations.TABLE in tables:
        migrations.refuse_newer(f"the tables of {reader.schema} in the warehouse", migrations.read_version(reader))
    reads = state.summaries(reader, reader.columns(state.TABLE)) if state.TABLE in tables else {}
    loads = state.last_loads(reader) if state.LOG_TABLE in tables else {}
    return {
        resource: Recorded(
            reads.get(resource, NO_READS),
            _count(reader, resource) if resource in tables else 0,
            loads.get(resource),
        )
        for resource in resources
    }


def recorded_rows(reader: Reader) -> dict[str, int]:
    """Resource -> rows in its table after its last load, without a count; `reader` reads its platform's schema."""
    if state.TABLES_TABLE not in reader.tables():
        return {}
    table = reader.make_qualified_table_name(state.TABLES_TABLE)
    return {str(name): int(count) for name, count in reader.execute_sql(f"SELECT resource, row_count FROM {table}")}


def recorded_source(reader: Reader) -> source_account.Source | None:
    """Whose data the tables of a platform are, None if nothing was recorded; `reader` reads its schema."""
    return source_account.read(reader) if source_account.TABLE in reader.tables() else None


def _count(reader: Reader, table: str) -> int:
    return int(reader.execute_sql(f"SELECT count(*) FROM {reader.make_qualified_table_name(table)}")[0][0])
