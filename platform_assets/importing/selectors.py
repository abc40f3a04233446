"""dlt's JSONPaths as our dotted paths, as far as they mean one place in a body."""

import re
from typing import Any

_QUOTED = re.compile(r"\[(['\"])([^'\"\[\].]+)\1\]")
_SEGMENT = re.compile(r"[^\s.*\[\]?()@'\"$,|]+")


def dotted(path: Any) -> str | None:
    """`$.data.items[*]` -> `data.items`; `$` -> the body, an empty text. None if it means more than one place."""
    if not isinstance(path, str):
        return None
    text = _QUOTED.sub(lambda quoted: f".{quoted[2]}", path.strip()).removeprefix("$").strip(".")
    # A selected list gives its items anyway.
    for ending in ("[*]", ".*"):
        text = text.removesuffix(ending)
    if text in ("", "*"):
        return ""
    parts = [part.strip("'\"") for part in text.split(".")]
    return ".".join(parts) if all(_SEGMENT.fullmatch(part) for part in parts) else None


def is_spread(path: Any) -> bool:
    """Whether a selector ends with `.*` or `[*]`, which means a list's items, or an object's values."""
    return isinstance(path, str) and path.strip().endswith((".*", "[*]"))
