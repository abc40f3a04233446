"""Which requests read a resource: one query per list of its endpoint, and per value that a parameter is sent with.

Endpoint + Parent + Bounds + settings -> Query(path, params)

Templates are rendered last, for each combination of values and each window.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

from platform_assets.declarations import Configured, Endpoint, FanOut, Listed, Resolve, Resource, Template
from platform_assets.declarations.time_format import format_moment
from platform_assets.extraction.initial_values import initial_value
from platform_assets.extraction.request_templates import RequestTemplates
from platform_assets.extraction.windows import Window, windows
from platform_assets.http.outgoing import Outgoing, outgoing
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.pages import at_position
from platform_assets.http.urls import fill_path

# How far after our clock an upper bound lies, for servers that want one: their clock need not be ours, and nothing
# that is there already is meant to be left out.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Parent:
    """One parent of a child resource.

    Args:
        key: names the parent in partitions and state; empty for a resource without parents.
        values: parameter of the endpoint -> its value, those of the path first and in its order.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


NO_PARENT = Parent(key="")


@dataclass(frozen=True)
class Bounds:
    """Between which cursors a resource's lists are read.

    Args:
        starts: per list of the endpoint the lower bound; None to read from the beginning. Empty for that everywhere.
        end: when the read began, for filters that want both bounds; None is this moment.
        largest_known: the largest value of a `RecordCursor`'s field in the rows from before the lower bound; None for
            another way of paging, or if there is no such row.
        is_first: whether nothing of it was read before, so that follow-up lists have nothing to add.
        rest: parameters with which the first list is asked for what an unfinished first read has left; empty if it has
            left nothing.
        rest_from: lower bound of that; None for the beginning.
        only_rest: whether nothing but that is read.
        in_parts: whether the read may be left unfinished.
    """

    starts: tuple[datetime | None, ...] = ()
    end: datetime | None = None
    largest_known: int | None = None
    is_first: bool = True
    rest: Mapping[str, str] = field(default_factory=dict)
    rest_from: datetime | None = None
    only_rest: bool = False
    in_parts: bool = False

    def start_of(self, number: int) -> datetime | None:
        """The lower bound of a list by its number."""
        return self.starts[number] if number < len(self.starts) else None


FROM_THE_BEGINNING = Bounds()


@dataclass(frozen=True)
class Query:
    """One walk through one list.

    Attributes:
        endpoint: the list, with its paginator, filter and limits.
        path: filled in and percent-encoded.
        params: everything beside the path that is sent with each request, by its place; the paging is not in it.
        values: place -> what it was filled with.
        start: the lower bound that applies; None reads to the list's end.
        largest_known: as in `Bounds`.
        in_parts: whether it may be left unfinished, as far as its list allows it.
        interval: `start` and `end` of the cursors that are asked for, as they are sent; without what is not sent.
        window: the window of time that it asks for; None if the list is not read in windows.
        ends_window: whether it is the last query of its window.
    """

    endpoint: Endpoint
    path: str
    params: Params
    values: Mapping[str, object]
    start: datetime | None = None
    largest_known: int | None = None
    in_parts: bool = False
    interval: Mapping[str, str] = field(default_factory=dict)
    window: Window | None = None
    ends_window: bool = False

    def request(self, position: Params) -> Outgoing:
        """The request for the page at a position, which a pager has named."""
        return outgoing(self.endpoint, self.path, at_position(self.params, position))


# Gives the values of a `Listed` parameter, which are read from the API.
LookUp = Callable[[Listed], Sequence[str]]


def queries(
    resource: Resource,
    parents: Sequence[Parent],
    bounds: Bounds,
    configured: Mapping[str, tuple[str, ...]],
    look_up: LookUp,
) -> Iterator[Query]:
    """The queries that read a resource, in the order in which their records are to be merged.

    Raises AnswerError for a template that fails or comes to what cannot be sent, and for a value that no path can have.

    Args:
        resource: the resource as the contract in use serves it.
        parents: the parent to read, or NO_PARENT; several only if the endpoint takes them in one request.
        bounds: between which cursors.
        configured: setting -> values, for `Configured` parameters and templates.
        look_up: called once per `Listed` parameter and list.
    """
    for number, endpoint, start, rest in _spans(resource, bounds):
        templates = RequestTemplates(endpoint, configured)
        initial = initial_value(endpoint.incremental, configured) if start is None else None
        fixed, fanned = _params(endpoint, parents, configured, look_up)
        in_parts = bounds.in_parts and not fanned and _can_be_left(endpoint, number, start, bounds, is_rest=bool(rest))
        every = [{**fixed, **dict(zip(fanned, values, strict=True))} for values in product(*fanned.values())]
        for window in windows(endpoint, start, bounds.end, initial):
            filters = {**_filters(endpoint, window, start, bounds.end, initial), **rest}
            interval = _interval(endpoint, filters)
            for place, given in enumerate(every, 1):
                values = {**given, **templates.fill(given, interval)}
                path = fill_path(
                    endpoint.path, {name: values[name] for name in endpoint.placeholders if name in values}
                )
                params = {
                    name: value
                    for name, value in values.items()
                    if name not in endpoint.placeholders and value is not None
                }
                yield Query(
                    endpoint,
                    path,
                    {**params, **filters},
                    values,
                    window.start if window else start,
                    None if rest else bounds.largest_known,
                    in_parts and window is None,
                    interval,
                    window,
                    window is not None and place == len(every) and bounds.in_parts,
                )


def _spans(resource: Resource, bounds: Bounds) -> Iterator[tuple[int, Endpoint, datetime | None, Mapping[str, str]]]:
    """Number, list and lower bound of each span of cursors to read, and the parameters if it is what was left."""
    lists = resource.endpoint.lists
    for number, endpoint in enumerate(() if bounds.only_rest else lists):
        if not (endpoint.follow_up and bounds.is_first):
            yield number, endpoint, bounds.start_of(number), {}
    if bounds.rest:
        yield 0, lists[0], bounds.rest_from, bounds.rest


def _can_be_left(endpoint: Endpoint, number: int, start: datetime | None, bounds: Bounds, *, is_rest: bool) -> bool:
    """Whether a query may be left unfinished: the state has one place to go on from.

    That is the cursor for lists that come upwards. Of one that comes downwards only the way to its beginning is left.
    """
    if endpoint.incremental is not None and endpoint.incremental.row_order == "asc":
        return True
    return number == 0 and (is_rest or (not bounds.rest and (start is None or bounds.is_first)))


def _params(
    endpoint: Endpoint, parents: Sequence[Parent], configured: Mapping[str, tuple[str, ...]], look_up: LookUp
) -> tuple[Params, dict[str, tuple[str | int, ...]]]:
    """Place -> value, and place -> the values that it is sent with one after the other."""
    fixed: Params = {}
    fanned: dict[str, tuple[str | int, ...]] = {}
    for name, value in endpoint.values.items():
        if isinstance(value, FanOut):
            fanned[name] = value.values
        elif isinstance(value, Listed):
            fanned[name] = tuple(look_up(value))
        elif isinstance(value, Configured):
            fanned[name] = configured[value.setting]
        elif isinstance(value, Resolve) and len(parents) == 1:
            found = parents[0].values[name]
            # A number stays one in JSON and for templates; elsewhere it is sent as its digits.
            fixed[name] = found if isinstance(found, int) else str(found)
        elif isinstance(value, Resolve):
            fixed[name] = ",".join(str(parent.values[name]) for parent in parents)
        elif not isinstance(value, Template):
            fixed[name] = value
    return fixed, fanned


def _filters(
    endpoint: Endpoint, window: Window | None, start: datetime | None, end: datetime | None, initial: str | None
) -> Params:
    incremental = endpoint.incremental
    if incremental is None or incremental.start_param is None:
        return {}
    if window is not None and incremental.end_param is not None:
        # The last window may be shorter than the granularity.
        last = max(window.start, window.end - incremental.granularity)
        return {
            incremental.start_param: format_moment(window.start, incremental.format),
            incremental.end_param: format_moment(last, incremental.format),
        }
    bound = format_moment(start, incremental.format) if start is not None else initial
    if bound is None:
        return {}
    filters: Params = {incremental.start_param: bound}
    if incremental.end_required and incremental.end_param is not None:
        filters[incremental.end_param] = format_moment((end or datetime.now(UTC)) + _AHEAD, incremental.format)
    return filters


def _interval(endpoint: Endpoint, filters: Params) -> dict[str, str]:
    incremental = endpoint.incremental
    if incremental is None:
        return {}
    names = {"start": incremental.start_param, "end": incremental.end_param}
    return {key: str(filters[name]) for key, name in names.items() if name is not None and name in filters}
