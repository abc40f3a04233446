"""A table for a terminal: a line per row, and no name is ever cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

Row = TypeVar("Row")
_GAP = 2


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column; `rank` says in which order columns are left out if the terminal is narrow, 0 never."""

    title: str
    cell: Callable[[Row], str]
    rank: int = 0
    right: bool = False

    def width(self, rows: Sequence[Row]) -> int:
        """How many cells of the terminal the longest text takes."""
        return max(cell_len(text) for text in (self.title, *map(self.cell, rows)))


def print_table(screen: Console, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> None:
    """Print a line per row. Columns that do not fit beside what is never left out are not shown.

    Where even that does not fit, the terminal breaks the lines.
    """
    shown = list(columns)
    for rank in sorted({column.rank for column in columns if column.rank}):
        if _width(shown, rows) > screen.width:
            shown = [column for column in shown if column.rank != rank]
    width = _width(shown, rows)
    too_wide = width > screen.width
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), width=width if too_wide else None)
    for column in shown:
        table.add_column(column.title, justify="right" if column.right else "left", no_wrap=True, overflow="fold")
    for row in rows:
        table.add_row(*(column.cell(row) for column in shown))
    screen.print(table, highlight=False, crop=not too_wide)


def _width(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> int:
    return sum(column.width(rows) + _GAP for column in columns) - _GAP
