"""dlt's JSONPaths as our dotted paths, as far as they mean one place in a body."""

import re
from typing import Any

_QUOTED = re.compile(r"\[(['\"])([^'\"\[\].]+)\1\]")
_SEGMENT = re.compile(r"[^\s.*\[\]?()@'\"$,|]+")


def dotted(path: Any) -> str | None:
    """`$.data.items[*]` -> `data.items`; `$` -> the body, an empty text; `a[*].b` -> `a.*.b`. None for other paths."""
    if not isinstance(path, str):
        return None
    text = _QUOTED.sub(lambda quoted: f".{quoted[2]}", path.strip()).removeprefix("$").replace("[*]", ".*").strip(".")
    # A selected list gives its items anyway.
    text = text.removesuffix(".*")
    if text in ("", "*"):
        return ""
    parts = [part.strip("'\"") for part in text.split(".")]
    return ".".join(parts) if all(part == "*" or _SEGMENT.fullmatch(part) for part in parts) else None


def plain(path: Any) -> str | None:
    """As `dotted`, for a path that may lead to one place only."""
    found = dotted(path)
    return None if found is None or "*" in found.split(".") else found


def is_spread(path: Any) -> bool:
    """Whether a selector ends with `.*` or `[*]`, which means a list's items, or an object's values."""
    return isinstance(path, str) and path.strip().endswith((".*", "[*]"))
