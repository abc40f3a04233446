"""Paths to the records in a body: `data.items`, `groups[*].records`, `['orders.json']` for a key with dots in it."""

import re

# A key in brackets and quotes, or `[*]`, or a key up to the next dot or bracket.
_PART = re.compile(r"\.?(?:\['(?P<quoted>[^']+)'\]|(?P<every>\[\*\])|(?P<plain>[^.\[]+))")


def selector_parts(selector: str) -> tuple[str, ...] | None:
    """The keys of a path, `*` for every item; none for the body itself, None for what is no path."""
    if "['" not in selector:
        plain = selector.replace("[*]", ".*").removeprefix(".")
        return tuple(plain.split(".")) if plain else ()
    found: list[str] = []
    at = 0
    while at < len(selector):
        part = _PART.match(selector, at)
        if part is None:
            return None
        found.append(part["quoted"] or part["plain"] or "*")
        at = part.end()
    return tuple(found)


def selector_of(parts: list[str]) -> str | None:
    """The path of keys, `*` for every item; None if there is no way to write it."""
    if any("." in part and "'" in part for part in parts):
        return None
    found = "".join(f"['{part}']" if "." in part else f".{part}" for part in parts)
    return found.removeprefix(".")
