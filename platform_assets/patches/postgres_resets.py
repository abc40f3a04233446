"""dlt's Postgres client, without the reset that lets our locks go.

After each statement that fails, dlt has psycopg2 reset the connection (dlt 1.31), also where the failure is expected,
as of a table that no load has made yet. psycopg2 sends DISCARD ALL for it, which lets go of all advisory locks of the
connection: those by which loads exclude each other (backends/advisory_locks.py). Rolling back is enough, since nothing
here prepares statements, listens, or sets parameters for longer than a statement.

tests/patches/test_postgres_resets.py says when it can go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Commands that only read start without dlt.
    from dlt.destinations.sql_client import SqlClientBase


def keep_locks(client: SqlClientBase[Any]) -> None:
    """Have dlt's client of Postgres keep its connection's locks when a statement fails. Call before it is opened."""
    postgres: Any = client

    def roll_back() -> None:
        connection = postgres.native_connection
        connection.rollback()
        connection.autocommit = True

    postgres._reset_connection = roll_back
