"""A DuckDB file, or a real Postgres, as a test's warehouse: its settings, and what is in it, read by its own driver."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from psycopg2.extras import register_default_json, register_default_jsonb

SECTIONS = ("SOURCES__", "DESTINATION__", "WAREHOUSE__")


@dataclass(frozen=True)
class Database:
    """One warehouse; `settings` are the variables that point at it."""

    settings: Mapping[str, str]

    @classmethod
    def file(cls, path: Path) -> "Database":
        return cls({"WAREHOUSE__DESTINATION": "duckdb", "DESTINATION__DUCKDB__CREDENTIALS": str(path)})

    @property
    def is_file(self) -> bool:
        return self.settings["WAREHOUSE__DESTINATION"] == "duckdb"

    def configure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make it the warehouse of this process."""
        for name, value in self.settings.items():
            monkeypatch.setenv(name, value)

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        return self._run(sql)[1]

    def table(self, name: str) -> list[dict[str, Any]]:
        """All rows as column -> value, in an order that both databases give; JSON as its text, times in UTC."""
        names, rows = self._run(f"SELECT * FROM {name}")
        found = [{column: _in_utc(value) for column, value in zip(names, row, strict=True)} for row in rows]
        return sorted(found, key=lambda row: repr(sorted(row.items())))

    def _run(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        if self.is_file:
            with duckdb.connect(self.settings["DESTINATION__DUCKDB__CREDENTIALS"]) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                done = connection.execute(sql)
                return [column[0] for column in done.description or ()], done.fetchall()
        connection = psycopg2.connect(self.settings["DESTINATION__POSTGRES__CREDENTIALS"], options="-c timezone=UTC")
        for register in (register_default_json, register_default_jsonb):
            register(connection, loads=lambda text: text)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return [
                    column[0] for column in cursor.description or ()
                ], cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def own_tables(database: Database, platform: str) -> dict[str, set[str]]:
    """Table of ours -> its columns."""
    found: dict[str, set[str]] = {}
    query = f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{platform}'"
    for table, column in database.run(query):
        if table.startswith("_sync_"):
            found.setdefault(table, set()).add(column)
    return found


def settings_of_this_process() -> dict[str, str]:
    """For a process that is to work in the same warehouse with the same platforms."""
    return {name: value for name, value in os.environ.items() if name.startswith(SECTIONS)}


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value
