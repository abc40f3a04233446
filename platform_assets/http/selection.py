"""Which records a response body holds, and what becomes of them before they are buffered.

    body -> selector -> items -> unwrap -> records -> drop_fields -> fill_keys

A body without the expected records is an error, never an empty list: an empty list would let rows count as removed.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from platform_assets.declarations import Client, Envelope, SingleObject
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.selectors import selector_parts
from platform_assets.http.errors import AnswerError
from platform_assets.http.lossless_json import as_json

# A record as it was parsed: field -> value.
Record = dict[str, Any]

_ERROR_FIELDS = ("error", "errors")
_EXCERPT_CHARACTERS = 160
_KEYS_IN_MESSAGE = 20


def selector(client: Client, paginator: Paginator, data_selector: str) -> Callable[[Any], list[Any]]:
    """A function from a parsed body to its list of items, as the contract describes it.

    Args:
        client: says whether null stands for an empty list, an object for a list of one, and which field reports
            success.
        paginator: `SingleObject` expects one object instead of a list.
        data_selector: dotted path to the items; empty for the body itself. `*` stands for every item of a list, or
            every value of an object: `data.*` for records by their id, `groups.*.records` for the records of all
            groups. `groups[*].records` is the same path. `['orders.json']` is a key with a dot in it.

    The function raises AnswerError if the path does not exist (naming the keys that do), if it leads to another kind
    of value, or if the body reports a failure, even beside records.
    """
    single = isinstance(paginator, SingleObject)
    keys = selector_parts(data_selector)
    if keys is None:
        raise AnswerError(f"selector `{data_selector}` is no path")
    outermost = keys[0] if keys else ""
    null_is_empty = client.null_is_empty and not single

    def select(body: Any) -> list[Any]:
        if isinstance(body, dict) and data_selector:
            _refuse_failure(body, client.success_field, outermost)
        selected = (_select_all if "*" in keys else _select)(body, data_selector, keys, null_is_empty)
        if single:
            if not isinstance(selected, dict) or not selected:
                raise AnswerError(f"selector `{data_selector}` should find one object and found {_kind(selected)}")
            return [selected]
        if isinstance(selected, dict) and selected and client.object_is_record:
            if not data_selector:
                _refuse_failure(selected, client.success_field, "*")
            return [selected]
        if not isinstance(selected, list):
            raise AnswerError(f"selector `{data_selector}` should find a list and found {_kind(selected)}")
        for item in selected:
            if not isinstance(item, dict):
                raise AnswerError(f"selector `{data_selector}` found a list with {_kind(item)} where records belong")
        return selected

    return select


def _refuse_failure(body: dict[str, Any], success_field: str | None, outermost: str) -> None:
    """Raise AnswerError if a body with status 200 reports a failure, complete or partial."""
    if success_field and body.get(success_field, True) is not True:
        raise AnswerError(f"the body says `{success_field}: {_excerpt(body[success_field])}` with status 200")
    for name in _ERROR_FIELDS:
        if name != outermost and (outermost in body or outermost == "*") and body.get(name):
            raise AnswerError(f"the body has `{name}` with status 200: {_excerpt(body[name])}")


def _excerpt(value: Any) -> str:
    return as_json(value, "an error").decode()[:_EXCERPT_CHARACTERS]


def _select(body: Any, data_selector: str, keys: tuple[str, ...], null_is_empty: bool) -> Any:
    """The value at the selector's path. Raises AnswerError if the path does not exist."""
    value, place = body, ""
    for key in keys:
        if not isinstance(value, dict):
            raise AnswerError(f"selector `{data_selector}` matched nothing: the {place or 'body'} is {_kind(value)}")
        if key not in value:
            there = ", ".join(list(map(str, value))[:_KEYS_IN_MESSAGE]) or "none"
            raise AnswerError(f"selector `{data_selector}` matched nothing; keys at the {place or 'top'}: {there}")
        value, place = value[key], f"`{key}`"
        if value is None and null_is_empty:
            return []
    return value


def _select_all(body: Any, data_selector: str, keys: tuple[str, ...], null_is_empty: bool) -> list[Any]:
    """The records at every place that a path with `*` leads to: objects, and those in lists.

    An item that lacks the path's next key has no records. If every one lacks it, the path is wrong.

    Raises AnswerError if the path leads nowhere, or to another kind of value.
    """
    found, place = [body], "body"
    for key in keys:
        before, found = found, []
        for value in before:
            if value is None and null_is_empty:
                continue
            if key == "*" and isinstance(value, dict | list):
                found += value.values() if isinstance(value, dict) else value
            elif key != "*" and isinstance(value, dict):
                found += [value[key]] if key in value else []
            else:
                raise AnswerError(f"selector `{data_selector}` matched nothing: the {place} is {_kind(value)}")
        if key != "*" and not found and any(value is not None for value in before):
            names = dict.fromkeys(str(name) for value in before for name in value or ())
            there = ", ".join(list(names)[:_KEYS_IN_MESSAGE]) or "none"
            raise AnswerError(f"selector `{data_selector}` matched nothing; keys at the {place}: {there}")
        place = f"`{key}`"
    records: list[Any] = []
    for value in found:
        if isinstance(value, dict | list):
            records += value if isinstance(value, list) else [value]
        elif value is not None or not null_is_empty:
            raise AnswerError(f"selector `{data_selector}` found {_kind(value)} where records belong")
    return records


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a bool", type(None): "null"}
    return "an empty object" if value == {} else names.get(type(value), "a number")


def get_path(body: Any, path: str) -> Any:
    """The value at a dotted path in nested objects, None if the path ends early."""
    for key in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(key)
    return body


def unwrap(items: list[Any], envelope: Envelope | None, counts: Counter[str]) -> list[Record]:
    """The records in a page's envelopes; the items themselves if the contract has no envelope.

    Args:
        items: a page's items.
        envelope: the declared envelope.
        counts: incremented by `gone` (envelopes with null inside: the record was removed) and `other_kind`.

    Raises:
        AnswerError: for an envelope without its data field, or with another kind of value in it.
    """
    if envelope is None:
        return items
    records: list[Record] = []
    for item in items:
        if item.get(envelope.kind_field, envelope.kind) != envelope.kind:
            counts["other_kind"] += 1
            continue
        if envelope.data_field not in item:
            raise AnswerError(f"an envelope has no `{envelope.data_field}`; its keys: {', '.join(map(str, item))}")
        inner = item[envelope.data_field]
        if inner is None:
            counts["gone"] += 1
            continue
        wrapped = inner if isinstance(inner, list) else [inner]
        if not all(isinstance(record, dict) for record in wrapped):
            raise AnswerError(f"an envelope's `{envelope.data_field}` holds something that is not a record")
        records.extend(wrapped)
    return records


def drop_fields(records: list[Record], exclude: tuple[str, ...]) -> None:
    """Remove excluded fields in place; `options.sentry:token` names a key inside an object."""
    for path in exclude:
        *outer, last = path.split(".", 1)
        for record in records:
            holder = record.get(outer[0]) if outer else record
            if isinstance(holder, dict):
                holder.pop(last, None)


def fill_keys(records: list[Record], key_fallback: dict[str, str]) -> None:
    """Give records without a key field the value of its fallback field, in place."""
    for key, fallback in key_fallback.items():
        for record in records:
            if record.get(key) is None and record.get(fallback) is not None:
                record[key] = record[fallback]
