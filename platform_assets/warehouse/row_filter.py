"""Which rows of a table a query is about, and the SQL condition that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from platform_assets.warehouse.indexes import any_of

# With more parents the condition is left out: the statement would be longer than its result.
MOST_PARENTS = 500


@dataclass(frozen=True)
class RowFilter:
    """Recent rows, or those of some parents, or both. The default is all rows.

    Attributes:
        since: a column and the moment from which on its values count; nulls count too, and all rows if the column
            holds no moments, as one does that was loaded before it was declared.
        columns: the columns that name a row's parent.
        parents: values of `columns`, one tuple per parent that counts. Beyond `MOST_PARENTS` all parents count, so a
            caller that needs exactly these compares again.
    """

    since: tuple[str, datetime] | None = None
    columns: tuple[str, ...] = ()
    parents: tuple[tuple[Any, ...], ...] = ()

    def conditions(
        self, escape: Callable[[str], str], types: Mapping[str, str], text_hash: str | None
    ) -> tuple[list[str], list[Any]]:
        """SQL conditions to be joined by AND, and their arguments.

        Args:
            escape: quotes a column name.
            types: column -> dlt data type.
            text_hash: see `Backend`.
        """
        conditions: list[str] = []
        arguments: list[Any] = []
        if self.since is not None and types.get(self.since[0]) == "timestamp":
            column = escape(self.since[0])
            conditions.append(f"({column} >= %s OR {column} IS NULL)")
            arguments.append(self.since[1])
        if self.columns and 0 < len(self.parents) <= MOST_PARENTS:
            columns = [(escape(column), types.get(column)) for column in self.columns]
            condition, values = any_of(columns, self.parents, text_hash)
            conditions.append(f"({condition})")
            arguments += values
        return conditions, arguments
