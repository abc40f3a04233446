"""Suggests the known word that a misspelt one most likely means."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int | None = None) -> str | None:
    """The known word with the fewest edits from `word`; None if all are further than `most` edits.

    Without `most`, about a third of the word may differ, three letters at the most. Case and underscores do not count.
    """
    bound = max(1, min(3, len(word) // 3 + 1)) if most is None else most
    plain = _without_case(word)
    found = sorted((edits(plain, _without_case(other)), other) for other in known)
    return found[0][1] if found and found[0][0] <= bound else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` if a known word is near, else an empty text."""
    found = nearest(word, known)
    return f"; did you mean `{found}`?" if found else ""


def edits(one: str, other: str) -> int:
    """How many letters to insert, delete, replace or swap with their neighbour to turn one word into the other."""
    rows = [list(range(len(other) + 1))]
    for i, left in enumerate(one, start=1):
        row = [i]
        for j, right in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def _without_case(word: str) -> str:
    return word.lower().replace("_", "")
