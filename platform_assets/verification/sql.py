"""SQL text of the comparison: quoting, join conditions, and views over Parquet files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def quoted(name: str | None) -> str:
    """A name as an SQL identifier."""
    return '"' + str(name).replace('"', '""') + '"'


def literal(path: Path) -> str:
    """A path as an SQL text literal."""
    return "'" + str(path).replace("'", "''") + "'"


def same_values(left: str, names: Sequence[str], right: str, others: Sequence[str]) -> str:
    """Join condition: each column of the row `left` equals its counterpart of the row `right`; null equals null."""
    return " AND ".join(
        f"{left}.{quoted(name)} IS NOT DISTINCT FROM {right}.{quoted(other)}"
        for name, other in zip(names, others, strict=True)
    )


def parquet_view(
    name: str,
    files: Sequence[Path],
    sql_types: Mapping[str, str],
    added: Mapping[str, tuple[str, str]],
) -> str:
    """CREATE VIEW over Parquet files with exactly the given columns; what the files lack is null.

    Args:
        files: none makes an empty view of the same columns.
        sql_types: column -> SQL type that its values are cast to.
        added: further column -> (SQL expression over the files' columns, its SQL type).
    """
    existing = schema_of(files)
    columns = [
        f"CAST({quoted(column) if column in existing else 'NULL'} AS {sql_type}) AS {quoted(column)}"
        for column, sql_type in sql_types.items()
    ]
    if files:
        source = f"read_parquet([{', '.join(map(literal, files))}], union_by_name = true)"
        columns += [f"{expression} AS {quoted(column)}" for column, (expression, _) in added.items()]
    else:
        source = "(SELECT 1 WHERE FALSE)"
        columns += [f"CAST(NULL AS {sql_type}) AS {quoted(column)}" for column, (_, sql_type) in added.items()]
    return f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source}"


def schema_of(files: Sequence[Path]) -> dict[str, pa.DataType]:
    """Column -> Arrow type, over all files."""
    found: dict[str, pa.DataType] = {}
    for path in files:
        schema = pq.read_schema(path)
        found.update(zip(schema.names, schema.types, strict=True))
    return found


def is_same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    """Whether two Arrow types hold the same values: any precision of timestamps with a zone, any size of text."""
    if pa.types.is_timestamp(expected):
        return pa.types.is_timestamp(found) and found.tz is not None
    if pa.types.is_string(expected):
        return pa.types.is_string(found) or pa.types.is_large_string(found)
    return found == expected
