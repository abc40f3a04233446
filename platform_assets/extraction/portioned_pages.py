"""Pages that several requests have together, each with other fields of the same records (`Endpoint.portions`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_assets.declarations import Portions
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json
from platform_assets.http.outgoing import LINK
from platform_assets.http.pagination.pages import Getter
from platform_assets.http.selection import Record, get_path

# How often a page is asked for whose requests had other records.
_MOST_TRIES = 4

# Makes the records of an answer, as the table has them.
RecordsOf = Callable[[Answer], list[Record]]


class PortionedPages:
    """Gets whole pages.

    Args:
        portions: what each page is asked for with.
        get: requests a page.
        records_of: makes the records of each portion's answers: that of the first portion, then those of the others.
    """

    def __init__(self, portions: Portions, get: Getter, records_of: Sequence[RecordsOf]) -> None:
        self._portions = portions
        self._get = get
        self._records_of = records_of

    def get(self, params: Mapping[str, Any]) -> Answer:
        """The last portion's answer, whose items the paging goes by, with the merged records of all.

        Raises AnswerError if a record has no key, or the page keeps changing between its requests.
        """
        if LINK in params:
            raise AnswerError("a link to the next page has one portion of the fields in it")
        before: list[frozenset[bytes]] = []
        for _ in range(_MOST_TRIES):
            answers = [self._get({**params, **further}) for further in self._further()]
            parts = [
                self._by_key(records_of(answer)) for records_of, answer in zip(self._records_of, answers, strict=True)
            ]
            found = [frozenset(part) for part in parts]
            if all(keys == found[0] for keys in found) or found == before:
                return replace(answers[-1], merged=list(_merged(parts).values()))
            before = found
        raise AnswerError(f"the list keeps changing: {_MOST_TRIES} times, the requests of a page had other records")

    def _further(self) -> list[dict[str, str]]:
        """What each request has in place of the declared value."""
        return [{}, *({self._portions.param: value} for value in self._portions.further)]

    def _by_key(self, records: Sequence[Record]) -> dict[bytes, Record]:
        found: dict[bytes, Record] = {}
        for record in records:
            values = [get_path(record, field) for field in self._portions.merged_by]
            if None in values:
                names = ", ".join(f"`{field}`" for field in self._portions.merged_by)
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
