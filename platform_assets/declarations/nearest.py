"""Suggests the known word that a misspelt one most likely means."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int | None = None) -> str | None:
    """The known word with the fewest edits from `word`; None if all are further than `most` edits.

    Without `most`, about a third of the word may differ, three letters at the most. Case and underscores do not count.
    """
    bound = _bound(word) if most is None else most
    plain = _without_case(word)
    found = sorted((edits(plain, _without_case(other)), other) for other in known)
    return found[0][1] if found and found[0][0] <= bound else None


def nearest_few(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Up to `most` known words: those that begin with `word`, then the one or those with the fewest edits from it.

    As in `nearest`, about a third of the word may differ, and case and underscores do not count.
    """
    bound, plain = _bound(word), _without_case(word)
    found = [(edits(plain, _without_case(other)), other) for other in known]
    begins = [one for one in found if plain and _without_case(one[1]).startswith(plain)]
    fewest = min((distance for distance, _ in found), default=0)
    near = [one for one in found if one[0] == fewest <= bound]
    return list(dict.fromkeys(other for _, other in [*sorted(begins), *sorted(near)]))[:most]


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


def _bound(word: str) -> int:
    return max(1, min(3, len(word) // 3 + 1))


def _without_case(word: str) -> str:
    return word.lower().replace("_", "")
