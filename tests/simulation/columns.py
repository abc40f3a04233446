"""Which columns of a row may hold a field."""

from typing import Any

from tests.simulation.warehouse import Row


def base_name(column: str) -> str:
    return column.split("__v_")[0]


def values_of(row: Row, column: str) -> Any:
    found = {name: value for name, value in row.items() if base_name(name) == column and value is not None}
    return found or None
