"""A paginator from the names of a list's query parameters and of its answer's fields."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from platform_assets.declarations import Cursor, JsonLink, Offset, PageNumber, Paginator, RecordCursor, SinglePage
from platform_assets.platform_files.openapi.schemas import plain_name, properties_of
from platform_assets.platform_files.openapi.specification import Object, Operation, Parameter, Specification

_PAGES = ("page", "page_number", "page_num", "page_no", "pagenumber")
_SIZES = ("per_page", "page_size", "limit", "size", "count", "max_results", "page_limit", "results_per_page", "perpage")
_OFFSETS = ("offset", "skip", "start", "start_at", "start_index", "page_offset")
_CURSORS = (
    "cursor", "page_cursor", "next_cursor", "page_token", "next_page_token", "next_token", "continuation_token",
    "after", "page_after", "starting_after", "token",
)  # fmt: skip
_POSITIONS = (
    "next_cursor", "next_page_token", "next_token", "continuation_token", "end_cursor", "cursor", "after", "next_page",
    "next", "last_id",
)  # fmt: skip
# Fields of a body with the address of the next page.
_LINKS = ("next", "next_url", "next_link", "next_page", "next_page_url", "next_href")
# A cursor that is the id of the last record, where the answer has no position.
_LAST_RECORD = ("after", "starting_after", "since_id", "after_id")
_ADDRESSES = ("uri", "url", "uri-reference")
_USUAL_SIZE = 100
_MAX_SIZE = 1000


@dataclass(frozen=True)
class Paging:
    """How a list is paged.

    Attributes:
        paginator: None if the list pages in a way that nothing says in full.
        note: what was assumed, or why there is no paginator; None if nothing.
    """

    paginator: Paginator | None
    note: str | None = None


def paging_of(specification: Specification, operation: Operation, key: str | None, columns: dict[str, str]) -> Paging:
    """The way of paging that the parameters of a list mean.

    Args:
        key, columns: of the records, whose key may be the position.
    """
    query = operation.query()
    size = _named(query.values(), _SIZES)
    limit, maximum, note = _size(size)
    limit_param = None if size is None else size.name
    cursor = _named(query.values(), _CURSORS)
    position = None if cursor is None else _position(specification, operation.answer or {})
    if cursor is not None and position is not None:
        if limit_param is None:
            return Paging(Cursor(cursor_path=position, cursor_param=cursor.name))
        return Paging(
            Cursor(
                cursor_path=position, cursor_param=cursor.name, limit_param=limit_param, limit=limit, maximum=maximum
            ),
            note,
        )
    page, offset = _named(query.values(), _PAGES), _named(query.values(), _OFFSETS)
    if page is not None and limit_param is not None:
        first = 0 if 0 in (page.schema.get("default"), page.schema.get("minimum")) else 1
        found = PageNumber(page_param=page.name, limit_param=limit_param, limit=limit, maximum=maximum, base_page=first)
        return Paging(found, note)
    if offset is not None and limit_param is not None:
        return Paging(Offset(offset_param=offset.name, limit_param=limit_param, limit=limit, maximum=maximum), note)
    last = _named(query.values(), _LAST_RECORD)
    if last is not None and limit_param is not None and key is not None and columns.get(key) == "bigint":
        found = RecordCursor(cursor_param=last.name, field=key, limit_param=limit_param, limit=limit, maximum=maximum)
        return Paging(found, f"`{last.name}` is taken for the `{key}` of a page's last record")
    link = _link(specification, operation.answer or {})
    if link is not None:
        found = JsonLink(next_url_path=link, limit_param=limit_param, limit=limit if limit_param else None)
        return Paging(found, f"`{link}` of the answer is taken for the address of the next page")
    unclear = cursor or page or offset
    if unclear is not None:
        return Paging(None, f"it pages by `{unclear.name}`, but nothing says where the next position or the size is")
    if size is not None:
        return Paging(SinglePage(), f"it has `{size.name}`, but no parameter that pages: read as one page")
    return Paging(SinglePage(), "no parameter pages: read as one page")


def paging_parameters(paginator: Paginator) -> set[str]:
    """The query parameters that a paginator sends."""
    keys = ("page_param", "offset_param", "cursor_param", "limit_param")
    return {name for key in keys if (name := getattr(paginator, key, None))}


def _named(parameters: Iterable[Parameter], names: tuple[str, ...]) -> Parameter | None:
    """The parameter with the first of some names."""
    by_name = {plain_name(one.name): one for one in reversed(list(parameters))}
    return next((by_name[name] for name in names if name in by_name), None)


def _size(parameter: Parameter | None) -> tuple[int, int | None, str | None]:
    """Page size to ask for, the largest that is granted if that is said, and what was assumed."""
    schema = {} if parameter is None else parameter.schema
    maximum, default = schema.get("maximum"), schema.get("default")
    if isinstance(maximum, int) and not isinstance(maximum, bool) and maximum > 0:
        return min(maximum, _MAX_SIZE), maximum, None
    if isinstance(default, int) and not isinstance(default, bool) and 0 < default <= _MAX_SIZE:
        return default, None, f"the largest page is not said: pages of {default}, as by default"
    return _USUAL_SIZE, None, None if parameter is None else f"the size of a page is not said: pages of {_USUAL_SIZE}"


def _position(specification: Specification, body: Object) -> str | None:
    """Dotted path to the next page's position in a body; None if there is none that can be sent back."""
    return _first_of(specification, body, _POSITIONS, _is_position)


def _link(specification: Specification, body: Object) -> str | None:
    """Dotted path to the address of the next page in a body; None if no field is said to be one."""
    return _first_of(specification, body, _LINKS, _is_address)


def _first_of(
    specification: Specification, body: Object, names: tuple[str, ...], is_meant: Callable[[Object], bool]
) -> str | None:
    """Dotted path to the field with the first of some names, at the top or one level below."""
    fields = properties_of(specification, body)
    inner = [(f"{name}.", properties_of(specification, schema)) for name, schema in fields.items()]
    for prefix, found in [("", fields), *inner]:
        by_name = {plain_name(name): name for name, schema in found.items() if "." not in name and is_meant(schema)}
        chosen = next((by_name[name] for name in names if name in by_name), None)
        if chosen is not None:
            return prefix + chosen
    return None


def _is_position(schema: Object) -> bool:
    """A text or number that is no address."""
    return bool({"string", "integer"} & _kinds(schema)) and schema.get("format") not in _ADDRESSES


def _is_address(schema: Object) -> bool:
    return "string" in _kinds(schema) and schema.get("format") in _ADDRESSES


def _kinds(schema: Object) -> set[str]:
    kinds = schema.get("type")
    return set(map(str, kinds if isinstance(kinds, list) else [kinds]))
