"""Portions: the fields of a list's records in several requests, for servers that take few names of fields at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True, kw_only=True)
class Portions:
    """Each page is asked for once more with each further value of a parameter, and the parts of a record are merged.

    A record that one request of a page has and another lacks: the page is asked for again, for it may have moved on
    between the two. If the server says the same again, the record has the fields that came.

    Args:
        param: the parameter that names fields; its value in `params` is the first portion.
        further: its values for the others.
        merged_by: the records' fields, as the declaration makes them, that tell whose the parts are. A record without
            them fails the read.
    """

    param: str
    further: tuple[str, ...]
    merged_by: tuple[str, ...]


@strict
@dataclass(frozen=True, kw_only=True)
class ListedPortions:
    """Portions of the fields that another list names, which is read for it first. Otherwise as `Portions`.

    Args:
        param: the parameter that has the names, joined by commas.
        resource: the resource whose list is read, as the contract serves it.
        field: its raw field with a name.
        always: names that each portion has besides.
        most_names: how many of the others it has, at most.
        most_letters: how many letters they have, at most; each name counts three more, as its comma is encoded.
        merged_by: as in `Portions`.
    """

    param: str
    resource: str
    field: str
    always: tuple[str, ...] = ()
    most_names: int | None = None
    most_letters: int | None = None
    merged_by: tuple[str, ...] = ("id",)


# What a comma between two names counts for.
_DELIMITER = 3


def portions_of(
    names: Sequence[str], always: Sequence[str], most_names: int | None, most_letters: int | None
) -> list[str]:
    """The parameter's value for each portion of the names; one without any if there are none."""
    found: list[list[str]] = [[]]
    letters = 0
    for name in names:
        own = len(name) + _DELIMITER
        is_full = most_names is not None and len(found[-1]) >= most_names
        is_long = most_letters is not None and letters + own > most_letters
        if found[-1] and (is_full or is_long):
            found.append([])
            letters = 0
        found[-1].append(name)
        letters += own
    return [",".join([*always, *portion]) for portion in found]
