"""The cursor of a resource: dlt's `incremental`, in its four places, and a low-code connector's `incremental_sync`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from platform_assets.declarations import Incremental
from platform_assets.importing.dlt_resources import Written
from platform_assets.importing.findings import Findings
from platform_assets.importing.selectors import plain
from platform_assets.importing.values import Called, Joined, Setting

_KEYS = (
    "cursor_path",
    "initial_value",
    "start_param",
    "end_param",
    "end_value",
    "lag",
    "row_order",
    "convert",
    "transform",
)
# Read and not needed: ours are always so.
_IMPLIED = ("type", "primary_key", "range_start", "range_end", "allow_external_schedulers")
_POSITIONS = ("cursor_path", "initial_value", "last_value_func", "primary_key", "end_value", "row_order")
_VALUE = re.compile(r"(.*)\{incremental\.(start_value|last_value|initial_value|end_value)\}(.*)", re.DOTALL)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:([T ])\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?")
_ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Cursored:
    """A resource's cursor.

    Attributes:
        incremental: ours; None if it has none that can be carried.
        taken: query parameters that became part of it.
    """

    incremental: Incremental | None
    taken: tuple[str, ...] = ()


def read_incremental(written: Written, findings: Findings) -> Cursored:
    """The cursor of a resource, wherever it was written."""
    name = written.name
    given = _as_object(written.endpoint.get("incremental"))
    start_param = end_param = None
    around = ("", "")
    taken: list[str] = []
    for param, value in written.params.items():
        inner = _as_object(value)
        if inner is not None and inner.get("type", "incremental") == "incremental":
            given, start_param = inner, param
            taken.append(param)
        elif isinstance(value, str) and (found := _VALUE.fullmatch(value)):
            taken.append(param)
            if found[2] == "end_value":
                end_param = param
            else:
                start_param, around = param, (found[1], found[3])
    low_code = written.given.get("incremental_sync")
    if given is None and isinstance(low_code, Mapping):
        given = _of_low_code(low_code, name, findings)
    if given is None:
        if taken:
            findings.not_carried(name, f"params.{taken[0]}", "names a cursor, and the endpoint has no `incremental`")
        return Cursored(None, tuple(taken))
    start_param = start_param or _text(given.get("start_param"))
    end_param = end_param or _text(given.get("end_param"))
    _say_leftovers(given, name, findings)
    path = plain(given.get("cursor_path"))
    if not path or "." in path:
        findings.not_carried(
            name,
            "incremental.cursor_path",
            f"`{given.get('cursor_path')}` is inside an object: the list is read in full each time",
        )
        return Cursored(None, tuple(taken))
    return Cursored(_incremental(given, path, start_param, end_param, around, name, findings), tuple(taken))


def _as_object(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Called) and value.name in ("incremental", "Incremental"):
        return {"type": "incremental", **dict(zip(_POSITIONS, value.args, strict=False)), **value.kwargs}
    if isinstance(value, Mapping) and value.get("type") != "resolve":
        return value if "cursor_path" in value or value.get("type") == "incremental" else None
    return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _say_leftovers(given: Mapping[str, Any], name: str, findings: Findings) -> None:
    if given.get("convert") is not None or given.get("transform") is not None:
        findings.not_carried(name, "incremental.convert", "a function is not carried; the cursor is sent in `format`")
    if given.get("end_value") is not None:
        findings.not_carried(name, "incremental.end_value", "a read has no fixed end: it goes on to the newest record")
    if given.get("last_value_func") not in (None, "max"):
        findings.not_carried(name, "incremental.last_value_func", "the cursor is always the newest value")
    if given.get("on_cursor_value_missing") in ("raise", "exclude"):
        findings.mended(name, "incremental.on_cursor_value_missing", "records without a cursor are loaded")
    for key in given:
        if key not in (*_KEYS, *_IMPLIED, "last_value_func", "on_cursor_value_missing", "_format"):
            findings.not_carried(name, f"incremental.{key}", "dlt's `incremental` has no such key")


def _incremental(
    given: Mapping[str, Any],
    path: str,
    start_param: str | None,
    end_param: str | None,
    around: tuple[str, str],
    name: str,
    findings: Findings,
) -> Incremental:
    initial = given.get("initial_value")
    if isinstance(initial, Setting | Joined):
        findings.mended(
            name, "incremental.initial_value", "is taken from outside the file: set it as the setting `start_date`"
        )
        initial, from_setting = None, True
    else:
        from_setting = False
    if start_param is None:
        return _unfiltered(path, initial, from_setting=from_setting, name=name, findings=findings)
    time_format = given.get("_format") or (_format_of(initial) if isinstance(initial, str) else _ISO)
    if time_format is None or isinstance(initial, int | float):
        findings.not_carried(
            name,
            f"params.{start_param}",
            f"a cursor that is no ISO 8601 time (`{initial}`) is not sent: the list is read in full each time",
        )
        return Incremental(cursor_path=path)
    if initial is None and not from_setting and "_format" not in given:
        findings.assumed(
            name,
            f"params.{start_param}",
            "no `initial_value` shows how times are written: sent as `2026-01-31T00:00:00Z`",
        )
    before, after = (text.replace("%", "%%") for text in around)
    row_order = given.get("row_order")
    return Incremental(
        cursor_path=path,
        start_param=start_param,
        format=f"{before}{time_format}{after}",
        initial_value=f"{around[0]}{initial}{around[1]}" if isinstance(initial, str) else None,
        lag=_lag(given.get("lag"), name, findings),
        end_param=end_param,
        row_order="asc" if row_order == "asc" else None,
    )


def _unfiltered(path: str, initial: Any, *, from_setting: bool, name: str, findings: Findings) -> Incremental:
    """A cursor that no parameter sends: what `initial_value` leaves out, the setting `start_date` can."""
    findings.suspected(
        name,
        "incremental",
        f"the cursor `{path}` filters nothing: no parameter sends it, so the list is read in full each time",
    )
    if initial is not None:
        findings.mended(
            name,
            "incremental.initial_value",
            f"older records than `{initial}` are loaded too, unless the setting `start_date` says so",
        )
    return Incremental(cursor_path=path, bounded=from_setting or initial is not None)


def _lag(lag: Any, name: str, findings: Findings) -> timedelta:
    if isinstance(lag, int | float) and not isinstance(lag, bool) and 0 <= lag < 10**9:
        return timedelta(seconds=lag)
    if lag is not None:
        findings.not_carried(name, "incremental.lag", "is no number of seconds")
    return timedelta(0)


def _format_of(initial: str) -> str | None:
    """`strftime` format in which a time is written; None for what is no ISO 8601 time."""
    found = _MOMENT.fullmatch(initial)
    if found is None:
        return None
    separator, seconds, fraction, zone = found.groups()
    if separator is None:
        return "%Y-%m-%d"
    parts = [f"%Y-%m-%d{separator}%H:%M", ":%S" if seconds else "", f".{'0' * (len(fraction) - 1)}" if fraction else ""]
    # Times are sent in UTC.
    return "".join(parts) + ("" if zone is None else "Z" if zone == "Z" else "+00:00" if ":" in zone else "+0000")


def _of_low_code(low_code: Mapping[str, Any], name: str, findings: Findings) -> Mapping[str, Any] | None:
    """A low-code connector's `incremental_sync` as dlt's `incremental`."""
    findings.mended(name, "incremental_sync", "a low-code connector's key, which dlt refuses: read as `incremental`")
    start = low_code.get("start_datetime")
    start = start.get("datetime") if isinstance(start, Mapping) else start
    option = low_code.get("start_time_option")
    param = (
        option.get("field_name")
        if isinstance(option, Mapping) and option.get("inject_into") == "request_parameter"
        else None
    )
    end = low_code.get("end_time_option")
    end_param = (
        end.get("field_name") if isinstance(end, Mapping) and end.get("inject_into") == "request_parameter" else None
    )
    written: dict[str, Any] = {"cursor_path": low_code.get("cursor_field"), "initial_value": start}
    if param:
        written["start_param"] = param
    if end_param:
        written["end_param"] = end_param
    time_format = low_code.get("datetime_format")
    if isinstance(time_format, str) and param:
        if "%" in time_format and not any(word in time_format for word in ("%s", "%ms", "%_ms", "%epoch")):
            written["_format"] = time_format
        else:
            written["initial_value"] = 0
    known = ("type", "cursor_field", "start_datetime", "datetime_format", "start_time_option", "end_time_option")
    for key in low_code:
        if key not in known:
            findings.not_carried(name, f"incremental_sync.{key}", "not in our vocabulary")
    return written
