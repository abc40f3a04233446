"""Pages that several requests have together, each with other fields of the same records (`Endpoint.portions`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_assets.declarations import Listed, ListedPortions, Portions
from platform_assets.declarations.portions import portions_of
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.pages import Getter
from platform_assets.http.selection import Record, get_path
from platform_assets.http.urls import ParamValue

# How often a page is asked for whose requests had other records.
_MOST_TRIES = 4

# What a request of a page has beside its other parameters, and what makes records, as the table has them, of its items.
Request = tuple[Mapping[str, str], Callable[[list[Any]], list[Record]]]


def values_of(
    portions: Portions | ListedPortions, look_up: Callable[[Listed], Sequence[str]]
) -> list[Mapping[str, str]]:
    """What each request of a page has beside or in place of the declared parameters.

    Args:
        look_up: gives the names that another list has.
    """
    if isinstance(portions, Portions):
        return [{}, *({portions.param: value} for value in portions.further)]
    names = look_up(Listed(portions.resource, portions.field))
    found = portions_of(names, portions.always, portions.most_names, portions.most_letters)
    return [{portions.param: value} if value else {} for value in found]


class PortionedPages:
    """Gets whole pages.

    Args:
        merged_by: fields that tell whose the parts of a record are.
        select: finds the items in a body.
        requests: those of a page.
    """

    def __init__(
        self,
        merged_by: Sequence[str],
        select: Callable[[Any], list[Any]],
        requests: Sequence[Request],
    ) -> None:
        self._merged_by = merged_by
        self._select = select
        self._requests = requests

    def getter(self, get: Getter) -> Getter:
        """Gets a page by `get`, which sends one of its requests."""
        return lambda params: self._page(get, params)

    def _page(self, get: Getter, params: Mapping[str, ParamValue]) -> Answer:
        """The last portion's answer, whose items the paging goes by, with the merged records of all.

        Raises AnswerError if a record has no key, or the page keeps changing between its requests.
        """
        if LINK in params:
            raise AnswerError("a link to the next page has one portion of the fields in it")
        before: list[frozenset[bytes]] = []
        for _ in range(_MOST_TRIES):
            answers = [get({**params, **further}) for further, _ in self._requests]
            parts = [
                self._by_key(records_of(self._select(answer.body)))
                for (_, records_of), answer in zip(self._requests, answers, strict=True)
            ]
            found = [frozenset(part) for part in parts]
            if all(keys == found[0] for keys in found) or found == before:
                return replace(answers[-1], merged=list(_merged(parts).values()))
            before = found
        raise AnswerError(f"the list keeps changing: {_MOST_TRIES} times, the requests of a page had other records")

    def _by_key(self, records: Sequence[Record]) -> dict[bytes, Record]:
        found: dict[bytes, Record] = {}
        for record in records:
            values = [get_path(record, field) for field in self._merged_by]
            if None in values:
                names = ", ".join(f"`{field}`" for field in self._merged_by)
                raise AnswerError(f"a record lacks {names}, by which its portions are merged")
            key = as_json(values, "the key of a record")
            found[key] = _deep(found[key], record) if key in found else record
        return found


def _merged(parts: Sequence[Mapping[bytes, Record]]) -> dict[bytes, Record]:
    found: dict[bytes, Record] = {}
    for part in parts:
        for key, record in part.items():
            found[key] = _deep(found[key], record) if key in found else record
    return found


def _deep(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with objects merged; of two other values the second."""
    found = dict(one)
    for key, value in other.items():
        before = found.get(key)
        found[key] = _deep(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found
