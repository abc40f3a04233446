"""Regular expressions of declarations: which can be searched for in bounded time, and in texts of what length."""

import re

_LONGEST_PATTERN = 200
# Repeats in a pattern: the time that a search takes grows by a power of the text's length with each.
_MOST_REPEATS = 3
# Alternatives and optional parts: each may double the time.
_MOST_CHOICES = 8
# Characters of a text by the power of its length that a search may take; each is less than a second.
_LENGTHS = (4000, 4000, 4000, 600, 150)

_REPEATS = re.compile(r"[*+{]")


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern cannot be searched for in bounded time; None if it can."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{pattern[:40]!r} is no regular expression: {error}"
    if len(pattern) > _LONGEST_PATTERN:
        return f"has more than {_LONGEST_PATTERN} characters"
    if re.search(r"\)[*+{]", pattern) or re.search(r"\\[1-9]|\(\?P=", pattern):
        return f"{pattern[:40]!r} repeats a group, or refers to one: that may take for ever"
    if len(_REPEATS.findall(pattern)) > _MOST_REPEATS:
        return f"{pattern[:40]!r} has more than {_MOST_REPEATS} repeats: that may take for ever"
    # Not the `?` of a group, nor that of a repeat which takes as little as it can.
    if len(re.findall(r"\||(?<![(*+}?])\?", pattern)) > _MOST_CHOICES:
        return f"{pattern[:40]!r} has more than {_MOST_CHOICES} alternatives and optional parts"
    return None


def longest_text(pattern: str) -> int:
    """Characters of the longest text in which a pattern without a problem is searched for.

    A repeat at the pattern's end is gone through once: nothing after it can fail.
    """
    repeats = len(_REPEATS.findall(pattern)) - bool(re.search(r"[*+]\)?$", pattern))
    return _LENGTHS[max(0, repeats) + (not pattern.startswith("^"))]
