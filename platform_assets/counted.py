"""A number with its noun, for people."""


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`; the noun is given in the singular, and its last word takes the `s`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
