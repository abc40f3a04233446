"""Fills rows with what only a request of their own has: the details that their list's endpoint declares.

    page of records -> per record and detail: fill_path -> get -> text | pages -> values -> record

The requests of a page are sent concurrently, as many at once as the client allows, and their results go into the
page's records: no more than a page is held. What was removed between the list and its detail, or is not visible, stays
null and is counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_assets.configuration.platform_settings import Settings
from platform_assets.counted import counted
from platform_assets.declarations import Detail, Endpoint, Every, Newest, Resource
from platform_assets.extraction.edge import moments
from platform_assets.extraction.shaping import time_from_epoch
from platform_assets.http.answer import Answer
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from platform_assets.http.outgoing import outgoing
from platform_assets.http.pagination.identity import by_content, by_key
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.selection import Record, get_path, selector
from platform_assets.http.urls import ParamValue, fill_path

# From so many rows on, all of them refused is no accident: a permission is missing, or the path is gone.
_SEVERAL = 5


def wanted_details(resource: Resource, endpoint: Endpoint, settings: Settings) -> tuple[Detail, ...]:
    """The details of a list that are requested: none if they are off, nor one whose fields are all left out."""
    if not settings.details:
        return ()
    left_out = frozenset(settings.exclude_fields)

    def is_wanted(detail: Detail) -> bool:
        return any(f"{resource.name}.{name}" not in left_out for name in detail.fields)

    return tuple(filter(is_wanted, endpoint.details))


@dataclass
class _Refusals:
    """How many requests of one detail were sent, and how many were refused because of what they are for."""

    sent: int = 0
    refused: int = 0
    last: str = ""


@dataclass(frozen=True)
class _Result:
    """What one row's request for one detail came to.

    Attributes:
        values: field -> value; empty if there is none.
        counts: of requests, retries and waits.
        refusal: why the server refused it, if it did.
        is_missing: whether the row's fields stay null for want of a result.
    """

    values: Mapping[str, Any]
    counts: Counter[str]
    refusal: str | None = None
    is_missing: bool = False


class DetailReader:
    """Reads the details of one list's rows.

    Args:
        client: sends the requests; its settings say whether any are wanted.
        resource: the resource as the contract in use serves it.
        endpoint: the list that the rows come from.
        counts: incremented by requests, retries, waits and `missing_details`.
    """

    def __init__(self, client: ApiClient, resource: Resource, endpoint: Endpoint, counts: Counter[str]) -> None:
        self._client = client
        self._list = endpoint
        self._epoch_times = client.platform.client.has_epoch_times(endpoint)
        self._columns = resource.columns
        self._counts = counts
        self._details = wanted_details(resource, endpoint, client.settings)
        self._refusals = {detail.path: _Refusals() for detail in self._details}

    def fill(self, records: Sequence[Record]) -> None:
        """Set the details' fields in a page's records, in place; null where there is no result.

        Raises what `ApiClient.get` raises, except for what was removed or is not visible, and AnswerError for a body
        that breaks the contract.
        """
        asked = [(record, detail) for record in records for detail in self._details]
        results = self._client.pool.map(lambda pair: self._read(*pair), asked)
        for (record, detail), result in zip(asked, results, strict=True):
            for name, count in result.counts.items():
                self._counts[name] += count
            self._note(detail, result)
            for name in detail.fields:
                record.setdefault(name, None)
            record.update(result.values)

    def end(self) -> None:
        """Call it at the list's end.

        Raises AnswerError if all of several rows were refused a detail: nulls in every row would not be what is there.
        """
        for path, found in self._refusals.items():
            if found.sent >= _SEVERAL and found.refused == found.sent:
                raise AnswerError(
                    f"all of {counted(found.sent, 'request')} for details at {path} were refused: {found.last}"
                )

    def _note(self, detail: Detail, result: _Result) -> None:
        if result.is_missing:
            self._counts["missing_details"] += 1
        found = self._refusals[detail.path]
        found.sent += 1
        if result.refusal is not None:
            found.refused += 1
            found.last = result.refusal

    def _read(self, record: Record, detail: Detail) -> _Result:
        counts: Counter[str] = Counter()
        values = {name: get_path(record, name) for name in detail.placeholders}
        if None in values.values():
            return _Result({}, counts, is_missing=True)
        path = fill_path(detail.path, values)
        try:
            found = self._text(detail, path, counts) if detail.is_text else self._values(detail, path, counts)
        except RequestFailed as failure:
            if not failure.not_visible:
                raise
            return _Result({}, counts, refusal=str(failure), is_missing=True)
        return _Result(found, counts, is_missing=detail.is_text and None in found.values())

    def _endpoint(self, detail: Detail) -> Endpoint:
        return Endpoint(path=detail.path, base_url=self._list.base_url, auth=self._list.auth)

    def _text(self, detail: Detail, path: str, counts: Counter[str]) -> dict[str, Any]:
        answer = self._client.get(path, detail.params, counts, self._endpoint(detail), text=True)
        return dict.fromkeys(detail.fields, answer.body)

    def _values(self, detail: Detail, path: str, counts: Counter[str]) -> dict[str, Any]:
        """The values of a detail's fields, from its list's pages one after the other or from its one object."""
        client, endpoint = self._client.platform.client, self._endpoint(detail)
        paginator = detail.paginator or client.paginator
        data_selector = client.data_selector if detail.data_selector is None else detail.data_selector
        keys = [source.field for source in detail.fields.values() if isinstance(source, Every)]
        identify = by_key((keys[0],), {}, None) if keys else by_content

        def get(params: Mapping[str, ParamValue]) -> Answer:
            return self._client.send(outgoing(endpoint, path, params), counts, endpoint)

        select = selector(client, paginator, data_selector)
        walk = pager(paginator, self._client.settings.page_size)
        collected = {name: _collector(source, self._epoch_times) for name, source in detail.fields.items()}
        for items in pages(get, walk, detail.params, select, identify):
            for collector in collected.values():
                collector.add(items)
        return {name: self._settled(name, collector.value) for name, collector in collected.items()}

    def _settled(self, name: str, value: Any) -> Any:
        """A value as its column has it: an id that is a number here and a text there, seconds since 1970."""
        kind = self._columns.get(name)
        if kind == "text" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return time_from_epoch(value) if kind == "timestamp" and self._epoch_times else value


@dataclass
class _One:
    """The value at a path of the one object."""

    path: str
    value: Any = None

    def add(self, items: Iterable[Record]) -> None:
        for item in items:
            self.value = get_path(item, self.path)


@dataclass
class _Every:
    """The values of a field in all records, each once."""

    path: str
    _found: dict[Any, None] = field(default_factory=dict)

    def add(self, items: Iterable[Record]) -> None:
        for item in items:
            value = get_path(item, self.path)
            if isinstance(value, dict | list):
                raise AnswerError(f"`{self.path}` of a detail's record is not one value")
            if value is not None:
                self._found[value] = None

    @property
    def value(self) -> list[Any]:
        return list(self._found)


@dataclass
class _Newest:
    """The value of a field in the record with the latest time; a record without a time is older than all others."""

    path: str
    by: str
    epoch_times: bool
    value: Any = None
    _latest: datetime | None = None

    def add(self, items: Sequence[Record]) -> None:
        for item, moment in zip(items, moments(items, self.by, epoch_times=self.epoch_times), strict=True):
            if self._latest is None or (moment is not None and moment >= self._latest):
                self.value, self._latest = get_path(item, self.path), moment


def _collector(source: Any, epoch_times: bool) -> _One | _Every | _Newest:
    if isinstance(source, Every):
        return _Every(source.field)
    if isinstance(source, Newest):
        return _Newest(source.field, source.by, epoch_times)
    return _One(source)
