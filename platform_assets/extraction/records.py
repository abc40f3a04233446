"""Which records an answer's body holds. Silence is never success: what cannot be found is an error."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from platform_assets.extraction.errors import AnswerError
from platform_assets.vocabulary import Client, Envelope, SingleObject
from platform_assets.vocabulary.paginator import Paginator

Record = dict[str, Any]

_ERROR_FIELDS = ("error", "errors")
_EXCERPT = 160


def as_json(value: Any, what: str, *, sort_keys: bool = False) -> bytes:
    """Compact JSON; with `sort_keys`, equal values have equal bytes. `what` the value is goes into the error.

    Raises AnswerError for what orjson does not write, e.g. nesting deeper than 254 levels.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError as error:
        raise AnswerError(f"{what} cannot be kept as JSON: {error}") from None


def selector(client: Client, paginator: Paginator, data_selector: str) -> Callable[[Any], list[Any]]:
    """A function from a parsed body to its list of items, as the contract describes it.

    It raises AnswerError where the selector matches nothing in a non-empty body (naming the keys that
    were there), where it finds another kind of value, or where the body says that it failed, also beside records.
    """
    single = isinstance(paginator, SingleObject)
    outermost = data_selector.split(".")[0]

    def select(body: Any) -> list[Any]:
        if isinstance(body, dict) and data_selector:
            _refuse_failure(body, client.success_field, outermost)
        found = _at(body, data_selector, client.null_is_empty and not single)
        if single:
            if not isinstance(found, dict) or not found:
                raise AnswerError(f"selector `{data_selector}` should find one object and found {_kind(found)}")
            return [found]
        if not isinstance(found, list):
            raise AnswerError(f"selector `{data_selector}` should find a list and found {_kind(found)}")
        for item in found:
            if not isinstance(item, dict):
                raise AnswerError(f"selector `{data_selector}` found a list with {_kind(item)} where records belong")
        return found

    return select


def _refuse_failure(body: dict[str, Any], success_field: str | None, outermost: str) -> None:
    """Raise AnswerError where a body with status 200 says that it failed, in whole or in part."""
    if success_field and body.get(success_field, True) is not True:
        raise AnswerError(f"the body says `{success_field}: {_shown(body[success_field])}` with status 200")
    for name in _ERROR_FIELDS:
        if name != outermost and outermost in body and body.get(name):
            raise AnswerError(f"the body has `{name}` with status 200: {_shown(body[name])}")


def _shown(value: Any) -> str:
    return as_json(value, "an error").decode()[:_EXCERPT]


def dig(body: Any, path: str) -> Any:
    """Value at a dotted path in nested objects, None where the path ends early."""
    for key in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(key)
    return body


def _at(body: Any, data_selector: str, null_is_empty: bool) -> Any:
    if not data_selector:
        return body
    here, walked = body, ""
    for key in data_selector.split("."):
        if not isinstance(here, dict):
            raise AnswerError(f"selector `{data_selector}` matched nothing: the {walked or 'body'} is {_kind(here)}")
        if key not in here:
            keys = ", ".join(list(map(str, here))[:20]) or "none"
            raise AnswerError(f"selector `{data_selector}` matched nothing; keys at the {walked or 'top'}: {keys}")
        here, walked = here[key], f"`{key}`"
        if here is None and null_is_empty:
            return []
    return here


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a bool", type(None): "null"}
    return "an empty object" if value == {} else names.get(type(value), "a number")


def unwrap(items: list[Any], envelope: Envelope | None, counts: Counter[str]) -> list[Record]:
    """Records out of their envelopes; counts `gone` (inner null) and `other_kind` envelopes.

    Raises AnswerError for an envelope without its data field or with another kind of value in it.
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
        found = inner if isinstance(inner, list) else [inner]
        if not all(isinstance(record, dict) for record in found):
            raise AnswerError(f"an envelope's `{envelope.data_field}` holds something that is not a record")
        records.extend(found)
    return records


def drop_fields(records: list[Record], exclude: tuple[str, ...]) -> None:
    """Remove excluded fields in place; `options.sentry:token` names a key inside an object."""
    for path in exclude:
        *outer, last = _split_once(path)
        for record in records:
            holder = record.get(outer[0]) if outer else record
            if isinstance(holder, dict):
                holder.pop(last, None)


def _split_once(path: str) -> list[str]:
    return path.split(".", 1)


def fill_keys(records: list[Record], key_fallback: dict[str, str]) -> None:
    """Give records that lack a key field the value of its stand-in, in place."""
    for key, stand_in in key_fallback.items():
        for record in records:
            if record.get(key) is None and record.get(stand_in) is not None:
                record[key] = record[stand_in]
