"""Reads and changes the warehouse of the settings in the environment, without any code of the product.

It is the DuckDB file that a test names, or the Postgres database of `in_postgres` or `in_either_warehouse`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
from psycopg2.extras import register_default_json, register_default_jsonb

from tests.servers.postgres import connection

Rows = tuple[list[str], list[tuple[Any, ...]]]
# What both databases raise for a table or schema that does not exist.
NO_SUCH_TABLE = (duckdb.CatalogException, psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName)


def is_postgres() -> bool:
    return os.environ.get("WAREHOUSE__DESTINATION") == "postgres"


def fetch(path: Path, sql: str) -> Rows:
    """Column names and rows of a query; times in UTC, JSON as text."""
    with _opened(path, read_only=True) as cursor:
        cursor.execute(sql)
        return [str(column[0]) for column in cursor.description or ()], cursor.fetchall()


def execute(path: Path, *statements: str) -> None:
    with _opened(path, read_only=False) as cursor:
        for statement in statements:
            cursor.execute(statement)


def copy_row(path: Path, table: str, where: str = "true", **values: str) -> None:
    """Insert one of a table's rows again, with other values (as SQL) in some columns."""
    columns, _ = fetch(path, f"SELECT * FROM {table} WHERE false")
    quoted = [f'"{column}"' for column in columns]
    taken = ", ".join(values.get(column, name) for column, name in zip(columns, quoted, strict=True))
    execute(path, f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {taken} FROM {table} WHERE {where} LIMIT 1")


@contextmanager
def _opened(path: Path, *, read_only: bool) -> Iterator[Any]:
    if is_postgres():
        with connection(os.environ) as opened:
            for register in (register_default_json, register_default_jsonb):
                register(opened, loads=lambda text: text)
            with opened.cursor() as cursor:
                yield cursor
        return
    with duckdb.connect(str(path), read_only=read_only) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened
