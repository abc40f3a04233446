"""The indexes by which a landing finds its rows, in a database that would read whole tables without them.

`wanted` says which: a row's key, its parent and its content; the state of a parent. They are not unique: tables of
earlier releases may hold a key twice, which a check of the asset reports.

A text is indexed by its hash, since one of three kilobytes has no room in an index: it would fail every load of its
table. What is to use such an index compares the hashes too (`equal`, `is_one_of`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlt.destinations.sql_client import SqlClientBase

# Begins the names of our indexes, and of no others. Whatever else a table has stays.
_PREFIX = "_lookup_"
# dlt data types that a database can compare and order.
_ORDERED = ("bigint", "bool", "date", "double", "text", "timestamp")


@dataclass(frozen=True)
class Index:
    """An index of one table.

    Attributes:
        terms: quoted columns, or expressions of them.
        where: SQL condition of the rows that it has, empty for all.
    """

    table: str
    terms: tuple[str, ...]
    where: str = ""

    @property
    def name(self) -> str:
        """Another one for every definition."""
        return _PREFIX + blake2b(repr((self.table, self.terms, self.where)).encode(), digest_size=8).hexdigest()


def equal(left: str, right: str, data_type: str | None, text_hash: str | None) -> str:
    """SQL condition that two values, as SQL, are equal; it uses the index of `left`.

    Args:
        data_type: dlt's.
        text_hash: see `Backend`.
    """
    same = f"{left} = {right}"
    if data_type != "text" or text_hash is None:
        return same
    return f"{text_hash.format(left)} = {text_hash.format(right)} AND {same}"


def any_of(
    columns: Sequence[tuple[str, str | None]], rows: Sequence[Sequence[Any]], text_hash: str | None
) -> tuple[str, list[Any]]:
    """SQL condition that some columns have the values of one of `rows`, and its arguments; it uses their index.

    Args:
        columns: quoted name and dlt data type of each.
        rows: at least one, values in the order of the columns.
        text_hash: see `Backend`.
    """
    same = [equal(name, "%s", data_type, text_hash) for name, data_type in columns]
    times = [condition.count("%s") for condition in same]
    arguments = [value for row in rows for value, count in zip(row, times, strict=True) for _ in range(count)]
    return " OR ".join(["(" + " AND ".join(same) + ")"] * len(rows)), arguments


def is_one_of(column: str, values: Sequence[str], text_hash: str | None) -> tuple[str, list[str]]:
    """SQL condition that a column has one of some texts, and its arguments; it uses the column's index."""
    marks = ", ".join(["%s"] * len(values))
    if text_hash is None:
        return f"{column} IN ({marks})", [*values]
    hashes = ", ".join([text_hash.format("%s")] * len(values))
    return f"{text_hash.format(column)} IN ({hashes}) AND {column} IN ({marks})", [*values, *values]


def wanted(
    table: str, types: Mapping[str, str], key: Sequence[str], parents: Sequence[str], text_hash: str
) -> Iterator[Index]:
    """The indexes of a resource's table.

    Args:
        types: column of the table -> dlt data type.
        key: columns of its primary key.
        parents: columns that name a row's parent.
        text_hash: see `Backend`.
    """
    groups = [key] if tuple(key[: len(parents)]) == tuple(parents) else [key, parents]
    for columns in groups:
        if all(types.get(column) in _ORDERED for column in columns):
            yield Index(table, tuple(_term(column, types[column], text_hash) for column in columns))
    # Not at the head: `status` reads state, and starts without dlt and pyarrow.
    from platform_assets.warehouse.table_layout import ROW_HASH

    if ROW_HASH in types:
        # Made by us: as short in every row.
        yield Index(table, (_quoted(ROW_HASH),))


def state_indexes(table: str, text_hash: str) -> Iterator[Index]:
    """The indexes of the state of every parent."""
    yield Index(table, (_quoted("resource"), _term("parent", "text", text_hash)))
    yield Index(table, (_quoted("resource"),), where="status = 'failed'")


def missing(client: SqlClientBase[Any], indexes: Collection[Index]) -> list[Index]:
    """Those that their table does not have, of the tables that exist and that this user may change."""
    found = _existing(client, {index.table for index in indexes})
    return [index for index in indexes if index.table in found and index.name not in found[index.table]]


def create(client: SqlClientBase[Any], indexes: Iterable[Index]) -> None:
    """Make indexes, and drop those of ours that their tables have for a key of before.

    Nobody can write to a table while its index is made: call it alone.
    """
    wanted_now = list(indexes)
    found = _existing(client, {index.table for index in wanted_now})
    names = {index.name for index in wanted_now}
    former = {name for existing in found.values() for name in existing} - names
    lacking = [index for index in wanted_now if index.table in found and index.name not in found[index.table]]
    # A name that is wanted and not found is that of an index which another table took along when it was renamed, or
    # that is not valid.
    for name in [*former, *(index.name for index in lacking)]:
        client.execute_sql(f"DROP INDEX IF EXISTS {client.make_qualified_table_name(name)}")
    for index in lacking:
        condition = f" WHERE {index.where}" if index.where else ""
        client.execute_sql(
            f"CREATE INDEX {_quoted(index.name)} ON {client.make_qualified_table_name(index.table)}"
            f" ({', '.join(index.terms)}){condition}"
        )


def _existing(client: SqlClientBase[Any], tables: Collection[str]) -> dict[str, set[str]]:
    """Table -> its valid indexes of ours, of the tables that this user may change."""
    marks = ", ".join(["%s"] * len(tables))
    rows = client.execute_sql(
        "SELECT t.relname, i.relname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace"
        " LEFT JOIN pg_index x ON x.indrelid = t.oid AND x.indisvalid"
        " LEFT JOIN pg_class i ON i.oid = x.indexrelid AND starts_with(i.relname, %s)"
        f" WHERE n.nspname = %s AND t.relname IN ({marks}) AND t.relkind IN ('r', 'p')"
        " AND pg_has_role(t.relowner, 'USAGE')",
        _PREFIX,
        client.dataset_name,
        *tables,
    )
    found: dict[str, set[str]] = {}
    for table, name in rows or ():
        found.setdefault(str(table), set()).update([] if name is None else [str(name)])
    return found


def _term(column: str, data_type: str, text_hash: str) -> str:
    quoted = _quoted(column)
    return text_hash.format(quoted) if data_type == "text" else quoted


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
