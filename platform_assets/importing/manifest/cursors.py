"""Cursors of a manifest: the field that orders a stream in time, and how the server is asked for a part of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from platform_assets.declarations import Incremental, Template
from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, SETTINGS
from platform_assets.declarations.time_format import format_moment, format_problem, moment_of
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.durations import iso_duration
from platform_assets.importing.manifest.options import option_of
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import NotCarried, Texts, is_template

_IN_DURATION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# The CDK takes what a text comes to without quotes around it.
_QUOTED = re.compile(r"^((?:\s|\{%(?:(?!%\}).)*%\})*)([\"'])(\{\{(?:(?!\}\}).)*\}\})\2\s*$", re.DOTALL)
_EMPTY = ("", "''", '""')


@dataclass(frozen=True)
class Found:
    """Places of the interval's bounds, as the request has them: a name of `places`; None if it is not sent."""

    start: str | None = None
    end: str | None = None


def convert_cursor(component: Any, sent: Found, texts: Texts, findings: Findings, name: str) -> Incremental | None:
    """The cursor of a stream; None for one that is read in full each time, which is a finding.

    Args:
        sent: bounds that templates of the request use.
    """
    if not isinstance(component, Mapping):
        return None
    kind = component.get("type")
    if kind != "DatetimeBasedCursor":
        label = component.get("class_name", kind)
        if kind == "IncrementingCountCursor":
            findings.assumed(name, "incremental_sync", "a cursor that counts: it is read in full each time")
            return None
        raise NotCarried(f"the cursor `{label}` is {'Python, which is never run' if kind != label else 'unknown'}")
    field, format = component.get("cursor_field"), component.get("datetime_format")
    if not isinstance(field, str) or is_template(field) or not isinstance(format, str):
        raise NotCarried("the cursor's field or format is computed")
    if (problem := format_problem(format)) is not None:
        raise NotCarried(f"`datetime_format`: {problem}")
    start = _place(component.get("start_time_option")) or sent.start
    end = _place(component.get("end_time_option")) or sent.end
    if start is None:
        why = "nothing filters by it: the list is read in full each time"
        if component.get("is_client_side_incremental"):
            why = "it is filtered after it was read: the list is read in full each time"
        findings.suspected(name, "incremental_sync", f"the cursor `{field}`: {why}")
        # What is said of the request's bounds has no place in a list that nothing filters.
        return Incremental(cursor_path=field, newest_first=component.get("is_data_feed") is True)
    if component.get("end_datetime") and not _is_now(component["end_datetime"]):
        findings.suspected(name, "end_datetime", "is not kept: everything up to now is read")
    beginning = _beginning(component.get("start_datetime"), format, texts, findings, name)
    step = _span(component.get("step"), texts.settings, findings, name, "step", "step") if end is not None else None
    granularity = iso_duration(component.get("cursor_granularity")) or timedelta(0)
    return Incremental(
        cursor_path=field,
        start_param=start,
        end_param=end,
        end_required=end is not None and (step is None or beginning is None),
        format=format,
        initial_value=beginning,
        lag=_lookback(component.get("lookback_window"), texts.settings, findings, name),
        step=step if beginning is not None else None,
        granularity=granularity if step is not None and beginning is not None else timedelta(0),
    )


def _place(option: Any) -> str | None:
    return option_of(option, "the cursor's bound").place if isinstance(option, Mapping) else None


def _is_now(given: Any) -> bool:
    text = given.get("datetime") if isinstance(given, Mapping) else given
    return isinstance(text, str) and ("now_utc" in text or "today_" in text)


def _beginning(given: Any, format: str, texts: Texts, findings: Findings, name: str) -> str | Template | None:
    """The lower bound of the first read."""
    own = given.get("datetime_format") if isinstance(given, Mapping) else None
    text = given.get("datetime") if isinstance(given, Mapping) else given
    if isinstance(given, Mapping) and (given.get("min_datetime") or given.get("max_datetime")):
        findings.suspected(name, "start_datetime", "`min_datetime` and `max_datetime` are not kept")
    if not isinstance(text, str) or text.strip() in _EMPTY:
        return None
    if is_template(text):
        text = _QUOTED.sub(lambda found: found[1] + found[3], text)
        return texts.template(texts.rewritten(text), SETTINGS | FUNCTIONS | CLOCKS, "start_datetime")
    try:
        moment = moment_of(text, own if isinstance(own, str) and own else format)
    except (ValueError, OverflowError):
        raise NotCarried(f"`start_datetime` {text[:40]!r} is no time in the format of the stream") from None
    findings.suspected(name, "start_datetime", f"is written out, {text[:40]}: what is older is never read")
    return format_moment(moment, format)


def _lookback(given: Any, settings: ConfigSettings, findings: Findings, name: str) -> timedelta:
    return _span(given, settings, findings, name, "lookback_window", "lag") or timedelta(0)


def _span(given: Any, settings: ConfigSettings, findings: Findings, name: str, what: str, key: str) -> timedelta | None:
    """The span of time that a duration is; None for none. One that a setting says is written out as its default.

    Args:
        what: the word of the manifest.
        key: where it goes.
    """
    if not isinstance(given, str) or given.strip() in _EMPTY:
        return None
    text = given
    if is_template(given):
        # `P{{ config['lookback_days'] }}D`: what the specification takes if nobody says it.
        named = [one for one in settings.all if f"'{one}'" in given or f'"{one}"' in given or f".{one}" in given]
        default = settings.default(named[0]) if named else None
        text = _IN_DURATION.sub(str(default) if isinstance(default, int) else "0", given)
        if iso_duration(text) is None and isinstance(default, str):
            text = _IN_DURATION.sub(default, given)
        said = iso_duration(text)
        findings.assumed(name, what, f"is a setting: {said or 'none'} is written to the file, as `{key}`")
    found = iso_duration(text)
    if found is None:
        findings.suspected(name, what, f"{text[:40]!r} is no duration: there is none")
    return found or None
