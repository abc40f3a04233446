"""Which records an answer's body holds. Silence is never success: what cannot be found is an error."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import orjson

from platform_assets.declarations import Client, Envelope, SingleObject
from platform_assets.declarations.paginator import Paginator
from platform_assets.http.errors import AnswerError

Record = dict[str, Any]

_ERROR_FIELDS = ("error", "errors")
_EXCERPT = 160


def as_json(value: Any, what: str, *, sort_keys: bool = False) -> bytes:
    """Compact JSON; with `sort_keys`, equal values have equal bytes. `what` the value is goes into the error.

    Lone surrogates are encoded as if UTF-8 had them. Raises AnswerError for nesting deeper than 254 levels.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError as error:
        if not any(reason in str(error) for reason in _ORJSON_CANNOT):
            raise AnswerError(f"{what} cannot be kept as JSON: {error}") from None
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys)
    except (ValueError, TypeError, RecursionError) as error:
        raise AnswerError(f"{what} cannot be kept as JSON: {error}") from None
    return text.encode("utf-8", "surrogatepass")


_ORJSON_CANNOT = ("64-bit", "surrogates")
"""Integers beyond 64 bits, and lone surrogates: valid JSON that orjson refuses to write."""

_BEYOND_64_BITS = re.compile(rb"[:,\[\s](?:-[0-9]{19,}|[0-9]{20,})[,}\]\s]")
_LARGEST_EXPONENT = 4000
"""An integer of more digits is refused, as Python refuses to read one of more than 4,300."""


def from_json(content: bytes) -> Any:
    """A body parsed as it was meant: integers of any size exactly, texts with lone surrogates too.

    Raises ValueError for what is not JSON, and for numbers of thousands of digits.
    """
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            return _exactly(content)
        except ValueError:
            raise error from None
    # orjson reads integers beyond 64 bits as doubles.
    if _may_have_long_number(content) and _BEYOND_64_BITS.search(content):
        return _exactly(content)
    return body


def _may_have_long_number(content: bytes) -> bool:
    """Whether there are 19 digits in a row. Searching for the numbers themselves takes as long as parsing does."""
    digits = np.frombuffer(content, np.uint8) - np.uint8(ord("0")) < 10
    # Six neighbours among every third byte are in any such row, and in few bodies without one.
    if not _has_run(digits[::3], 6):
        return False
    return _has_run(digits, 19)


def _has_run(flags: np.ndarray, length: int) -> bool:
    """Whether `length` flags in a row are set."""
    runs, covered = flags, 1
    while covered < length:
        step = min(covered, length - covered)
        runs = runs[step:] & runs[:-step]
        covered += step
    return bool(runs.any())


def _exactly(content: bytes) -> Any:
    try:
        return json.loads(content.decode(), parse_float=_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _number(text: str) -> float | int:
    number = float(text)
    if math.isfinite(number):
        return number
    exact = Decimal(text)
    if exact.adjusted() > _LARGEST_EXPONENT or exact != exact.to_integral_value():
        raise ValueError(f"a number too large to be read: {text[:40]}")
    return int(exact)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


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


def get_path(body: Any, path: str) -> Any:
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
