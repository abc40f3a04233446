"""Columns and keys as dlt's hints declare them."""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import DATA_TYPES
from platform_assets.importing.findings import Findings

# dlt's types that we have no column of -> the one that holds the same values as the API writes them.
_NEAREST = {"complex": "json", "time": "text", "binary": "text", "wei": "text", "decimal": "text"}
_HINTS = ("name", "data_type", "nullable", "primary_key", "description", "precision", "scale", "timezone", "unique")


def read_columns(written: Any, resource: str, findings: Findings) -> dict[str, str]:
    """Field -> data type, of dlt's `columns` as an object or a list."""
    found: dict[str, str] = {}
    for name, hints in _each(written):
        data_type = hints.get("data_type")
        if isinstance(data_type, str):
            nearest = _NEAREST.get(data_type, data_type)
            if nearest not in DATA_TYPES:
                findings.not_carried(resource, f"columns.{name}", f"`{data_type}` is no type of dlt's")
                continue
            if nearest != data_type and data_type != "complex":
                findings.mended(
                    resource, f"columns.{name}", f"`{data_type}` is kept as `{nearest}`, as the API writes it"
                )
            found[name] = nearest
        for hint in hints:
            if hint not in _HINTS:
                findings.not_carried(resource, f"columns.{name}.{hint}", "the hint is not in our vocabulary")
    if written is not None and not isinstance(written, Mapping | list):
        findings.not_carried(resource, "columns", "a class is never run: types come from the values")
    return found


def keys_in_columns(written: Any) -> tuple[str, ...]:
    """Fields whose hints say `primary_key`."""
    return tuple(name for name, hints in _each(written) if hints.get("primary_key") is True)


def _each(written: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(written, Mapping):
        return [
            (str(name), hints if isinstance(hints, Mapping) else {"data_type": hints})
            for name, hints in written.items()
        ]
    if isinstance(written, list):
        return [(str(one["name"]), one) for one in written if isinstance(one, Mapping) and "name" in one]
    return []
