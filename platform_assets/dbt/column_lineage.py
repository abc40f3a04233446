"""Which columns a model's columns are computed from, read from its compiled SQL.

The alternative, dagster-dbt's `fetch_column_metadata`, queries the warehouse for every column of every model and its
parents, under the database name that the manifest was parsed with. Here all columns are declared: nothing is queried.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlglot import exp, parse_one
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

# Schema -> table -> column -> type.
Tables = dict[str, dict[str, dict[str, str]]]


class Column(NamedTuple):
    """A column of a table or model."""

    schema: str
    table: str
    name: str


def declared_tables(manifest: Mapping[str, Any]) -> Tables:
    """Every source and model of a dbt manifest with its declared columns."""
    tables: Tables = {}
    for node in (*manifest["nodes"].values(), *manifest["sources"].values()):
        if node["resource_type"] in ("model", "source"):
            tables.setdefault(node["schema"], {})[node["name"]] = dict.fromkeys(node["columns"], "text")
    return tables


def column_lineage(sql: str, columns: Iterable[str], tables: Tables, dialect: str) -> dict[str, Sequence[Column]]:
    """Column -> the columns of tables that its value is computed from, in a stable order.

    A column that is computed from none, such as `count(*)`, is left out.

    Args:
        sql: one compiled SELECT.

    Raises:
        sqlglot.errors.SqlglotError: the SQL cannot be parsed or resolved.
    """
    query = parse_one(sql, dialect=dialect)
    # sqlglot parses every name of a schema again for each query: it gets the tables that this one reads, not all.
    read: Tables = {}
    for table in query.find_all(exp.Table):
        # The database differs between machines, the schema does not.
        table.set("catalog", None)
        if table.name in tables.get(table.db, {}):
            read.setdefault(table.db, {})[table.name] = tables[table.db][table.name]
    query = qualify(query, schema=read, dialect=dialect, identify=False, validate_qualify_columns=False)
    scope = build_scope(query)
    found: dict[str, Sequence[Column]] = {}
    for column in columns:
        tree = lineage(column, query, scope=scope, dialect=dialect, copy=False)
        origins = {
            Column(leaf.source.db, leaf.source.name, leaf.name.split(".")[-1].strip('"'))
            for leaf in tree.walk()
            if not leaf.downstream and isinstance(leaf.source, exp.Table)
        }
        if origins:
            found[column] = sorted(origins)
    return found
