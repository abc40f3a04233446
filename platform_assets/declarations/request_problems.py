"""Checks of the templates of an endpoint's requests: what they name must be there when they are rendered."""

import re
from collections.abc import Iterator

from platform_assets.declarations.addresses import address_problem
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.paginator import (
    HeaderLink,
    JsonLink,
    Paginator,
    SingleObject,
    SinglePage,
    UnsizedPages,
)
from platform_assets.declarations.places import BODY, HEADER, POSITION, VALUE, seen_as
from platform_assets.declarations.portions import ListedPortions
from platform_assets.declarations.resource import Endpoint
from platform_assets.declarations.template import Template
from platform_assets.declarations.template_names import Mention, mentions_in

# (key, what is wrong and how to fix it)
Found = tuple[str, str]

_EXPRESSION = re.compile(r"\{\{.*\}\}", re.DOTALL)
_VALUES = ("parent", "stream_partition", "stream_slice")
_INTERVALS = ("interval", "stream_interval")
# Field of an interval -> the bound that it is.
_BOUNDS = {"start": "start", "start_time": "start", "end": "end", "end_time": "end"}


def request_problems(endpoint: Endpoint, paginator: Paginator, secrets: tuple[str, ...]) -> Iterator[Found]:
    """What is wrong with the templates of one of a resource's lists, and with values that only they see.

    Args:
        paginator: how the list is paged.
        secrets: settings with the client's credential, which no template may name.
    """
    problem = address_problem(endpoint.base_url, secrets)
    if problem is not None:
        yield "base_url", problem
    for place, value in endpoint.values.items():
        if isinstance(value, str) and is_unmarked_template(value):
            yield _key(endpoint, place), f"`{place}` is a text, which is sent as it stands: make it a Template(...)"
    yield from _portion_problems(endpoint, paginator)
    named = {place: mentions_in(template.text) for place, template in endpoint.templates.items()}
    for place, template in endpoint.templates.items():
        problem = _template_problem(template, secrets) or value_problem(endpoint, place, endpoint.incremental)
        if problem is not None:
            yield _key(endpoint, place), f"`{place}`: {problem}"
    if endpoint.incremental is not None:
        bounds = {bound for found in named.values() for bound in _bounds_in(found)}
        yield from _incremental(endpoint.incremental, bounds, secrets)
    if not isinstance(paginator, SinglePage | SingleObject):
        for key in ("position_key", "limit_key"):
            name = getattr(paginator, key, None)
            if isinstance(name, str) and name.startswith(VALUE):
                yield "paginator", f"`{name}` would not be sent: templates are rendered before the first page"
    if isinstance(paginator, UnsizedPages) and paginator.sent_as is None:
        around = endpoint.templates.get(paginator.position_key)
        if around is None or around.text.count(POSITION) != 1:
            place = paginator.position_key
            yield (
                "paginator",
                f"`sent_as=None` needs a template `{place}` with one `{POSITION}`, where the position stands",
            )


def _template_problem(template: Template, secrets: tuple[str, ...]) -> str | None:
    # Jinja2 is imported only where a template is used.
    from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, REQUEST, problem_of

    return problem_of(template, REQUEST | FUNCTIONS | CLOCKS, secrets)


def _key(endpoint: Endpoint, place: str) -> str:
    if place.startswith(BODY):
        return "json" if endpoint.data is None else "data"
    return "headers" if place.startswith(HEADER) else "params"


def is_unmarked_template(text: str) -> bool:
    """Whether a text would be sent with its expressions as they stand."""
    return _EXPRESSION.search(text) is not None


def value_problem(
    endpoint: Endpoint, place: str, incremental: Incremental | None, more: frozenset[str] = frozenset()
) -> str | None:
    """What a template names that is never there; not what it asks for, so that it says what holds without it.

    Args:
        endpoint: whose template it is.
        place: where it stands.
        incremental: whose bounds the template may have.
        more: values that are known beside those of the endpoint.
    """
    templates = list(endpoint.templates)
    later = templates[templates.index(place) :]
    known = {seen_as(one) for one in endpoint.values if one not in later} | more
    sent = _sent_bounds(incremental)
    for mention in mentions_in(endpoint.templates[place].text):
        if mention.asked:
            continue
        bound = _bound(mention)
        is_value = mention.variable in _VALUES and mention.field not in known
        if bound is not None and bound not in sent:
            return _unsent(incremental, mention)
        if bound is None and mention.variable in _INTERVALS:
            return f"`{mention.variable}.{mention.field}` is not there; an interval has `start` and `end`"
        if bound is None and is_value:
            return f"`{mention.variable}.{mention.field}` is no value that is known before it: add it to `params`"
    return None


def _bound(mention: Mention) -> str | None:
    """Which bound of the span of time is meant; None for something else."""
    is_slice = mention.variable == "stream_slice" and mention.field.endswith("_time")
    return _BOUNDS.get(mention.field) if is_slice or mention.variable in _INTERVALS else None


def _bounds_in(named: tuple[Mention, ...]) -> set[str]:
    return {bound for mention in named if (bound := _bound(mention)) is not None}


def _sent_bounds(incremental: Incremental | None) -> set[str]:
    """The bounds that some request of the list has."""
    if incremental is None or incremental.start_param is None:
        return set()
    has_end = incremental.step is not None or incremental.end_required or incremental.row_order == "desc"
    return {"start", "end"} if incremental.end_param is not None and has_end else {"start"}


def _unsent(incremental: Incremental | None, mention: Mention) -> str:
    if incremental is None or incremental.start_param is None:
        fix = f'`incremental` with `start_param="{VALUE}start"`'
    else:
        fix = f'`end_param="{VALUE}end"` with `end_required` or `step`'
    return f"`{mention.variable}.{mention.field}` is not there without {fix}"


def _incremental(incremental: Incremental, bounds: set[str], secrets: tuple[str, ...]) -> Iterator[Found]:
    """What keeps a bound from being sent.

    Args:
        bounds: the bounds that templates name.
    """
    for key, bound in (("start_param", "start"), ("end_param", "end")):
        name = getattr(incremental, key)
        if name is not None and name.startswith(VALUE) and bound not in bounds:
            yield (
                "incremental",
                f"`{key}` `{name}` is not sent, and no template has `interval.{bound}`: the server would not filter",
            )
    if incremental.too_deep is not None and (bounds or (incremental.end_param or "").startswith(VALUE)):
        yield "incremental", "`too_deep` goes on by another `end_param`, and templates would have the first one"
    if isinstance(incremental.initial_value, Template):
        from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, SETTINGS, problem_of

        problem = problem_of(incremental.initial_value, SETTINGS | FUNCTIONS | CLOCKS, secrets)
        if problem is not None:
            yield "incremental", f"`initial_value`: {problem}"


def _portion_problems(endpoint: Endpoint, paginator: Paginator) -> Iterator[Found]:
    portions = endpoint.portions
    if portions is None:
        return
    if isinstance(portions, ListedPortions):
        if portions.param in endpoint.values:
            yield "portions", f"`{portions.param}` is in `params`, where it would not be sent"
        if not all(most is None or most > 0 for most in (portions.most_names, portions.most_letters)):
            yield "portions", "`most_names` and `most_letters` must be at least 1"
    else:
        if portions.param in endpoint.placeholders or not isinstance(endpoint.params.get(portions.param), str):
            yield "portions", f"`{portions.param}` is not in `params` as a text, which is the first portion"
        if not portions.further:
            yield "portions", "`further` is empty: there would be one portion"
    if not portions.merged_by:
        yield "portions", "`merged_by` is empty: nothing would tell whose the parts of a record are"
    if isinstance(paginator, HeaderLink | JsonLink):
        yield "portions", "a link to the next page has the parameter in it already: one portion would be read twice"
    if endpoint.envelope is not None or endpoint.batch is not None:
        yield "portions", "records of portions have no `envelope` and are of one parent: leave out it and `batch`"
