"""Error handlers and backoffs of a requester."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from platform_assets.declarations import (
    ConstantBackoff,
    ErrorHandler,
    ExponentialBackoff,
    HeaderBackoff,
    HeaderUntil,
    ResponseAction,
    Template,
)
from platform_assets.declarations.error_handler import Backoff
from platform_assets.declarations.template_problems import FUNCTIONS, RESPONSE
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.texts import NotCarried, Texts, is_template, small_headers

_Action = Literal["ignore", "retry", "fail", "rate_limited", "success"]
_ACTIONS: Mapping[str, _Action] = {
    "IGNORE": "ignore",
    "RETRY": "retry",
    "FAIL": "fail",
    "RATE_LIMITED": "rate_limited",
    "SUCCESS": "success",
    # A token is renewed once after a 401 anyway.
    "REFRESH_TOKEN_THEN_RETRY": "retry",
}
_CDK_RETRIES = 5


def convert_errors(component: Any, texts: Texts, findings: Findings, name: str) -> ErrorHandler | None:
    """What responses mean; None where nothing is said. What cannot be carried is a finding."""
    handlers = list(_handlers(component, findings, name))
    if not handlers:
        return None
    actions: list[ResponseAction] = []
    backoffs: list[Backoff] = []
    retries = _CDK_RETRIES
    for handler in handlers:
        filters = [one for one in handler.get("response_filters") or () if isinstance(one, Mapping)]
        actions += filter(None, (_action(one, texts, findings, name) for one in filters))
        strategies = [one for one in handler.get("backoff_strategies") or () if isinstance(one, Mapping)]
        backoffs += filter(None, (_backoff(one, findings, name) for one in strategies))
        given = handler.get("max_retries")
        retries = given if type(given) is int and 0 <= given <= 100 else retries
    used = _used(tuple(dict.fromkeys(backoffs)), findings, name)
    budget = max((_fixed_wait(one) for one in used), default=0.0)
    if budget > ErrorHandler().wait_budget:
        why = f"a request waits {budget:.0f} s in all, at most: once, as long as is said here"
        findings.assumed(name, "error_handler.wait_budget", why)
    return replace(
        ErrorHandler(),
        max_retries=retries,
        response_actions=tuple(actions),
        backoff=used,
        wait_budget=max(budget, ErrorHandler().wait_budget),
    )


def _fixed_wait(backoff: Backoff) -> float:
    """The shortest wait that the manifest itself says, in seconds; 0 if the answers say it."""
    if isinstance(backoff, ConstantBackoff):
        return backoff.seconds
    return backoff.factor if isinstance(backoff, ExponentialBackoff) else 0.0


def _used(backoffs: Sequence[Backoff], findings: Findings, name: str) -> tuple[Backoff, ...]:
    """Without those behind one that always says how long to wait."""
    ends = (place for place, one in enumerate(backoffs, 1) if isinstance(one, ConstantBackoff | ExponentialBackoff))
    end = next(ends, len(backoffs))
    for one in backoffs[end:]:
        label = type(backoffs[end - 1]).__name__
        findings.mended(name, f"backoff.{type(one).__name__}", f"left out: nothing after {label} is ever used")
    return tuple(backoffs[:end])


def _handlers(component: Any, findings: Findings, name: str) -> Iterator[Mapping[str, Any]]:
    kind = component.get("type") if isinstance(component, Mapping) else None
    if kind == "CompositeErrorHandler":
        for one in component.get("error_handlers") or ():
            yield from _handlers(one, findings, name)
    elif kind == "DefaultErrorHandler":
        yield component
    elif kind is not None:
        label = component.get("class_name", kind)
        findings.assumed(name, "error_handler", f"`{label}` is never run: responses are judged by their status")


def _action(one: Mapping[str, Any], texts: Texts, findings: Findings, name: str) -> ResponseAction | None:
    codes = one.get("http_codes") or ()
    statuses = tuple(int(code) for code in codes if str(code).isdigit())
    contained, predicate = one.get("error_message_contains"), one.get("predicate")
    word = one.get("action")
    if word is None:
        if not one.get("error_message"):
            return None
        # The CDK's default for what matches: a server's fault is tried again, everything else fails.
        word = "RETRY" if statuses and all(code == 429 or code >= 500 for code in statuses) else "FAIL"
    action = _ACTIONS.get(str(word).upper())
    if action is None:
        findings.not_carried(name, f"error_handler.{word}", "the action is not in our vocabulary")
        return None
    try:
        condition = _condition(predicate, texts) if isinstance(predicate, str) and predicate.strip() else None
    except NotCarried as error:
        findings.not_carried(name, "error_handler.predicate", str(error))
        return None
    content = contained if isinstance(contained, str) and contained else None
    if not statuses and content is None and condition is None:
        return None
    message = one.get("error_message")
    message = message if isinstance(message, str) and not is_template(message) else None
    if action == "ignore" and any(code in (401, 403) for code in statuses):
        findings.suspected(
            name, "error_handler", "a missing permission is ignored: the list counts as skipped and stays as it is"
        )
    return ResponseAction(
        action=cast("_Action", action),
        status_code=statuses or None,
        content=content,
        condition=condition,
        error_message=" ".join(message.split())[:300] if message else None,
    )


def _condition(text: str, texts: Texts) -> Template:
    wanted = text if is_template(text) else "{{ " + text + " }}"
    return texts.template(small_headers(texts.rewritten(wanted)), RESPONSE | FUNCTIONS, "predicate")


def _backoff(one: Mapping[str, Any], findings: Findings, name: str) -> Backoff | None:
    kind = one.get("type")
    if one.get("max_waiting_time_in_seconds") is not None:
        findings.assumed(name, f"{kind}.max_waiting_time_in_seconds", "a request waits 15 minutes in all, at most")
    header, regex = one.get("header"), one.get("regex")
    regex = regex if isinstance(regex, str) else None
    if kind == "ConstantBackoffStrategy" and (seconds := _number(one.get("backoff_time_in_seconds"))) is not None:
        return ConstantBackoff(seconds=seconds)
    if kind == "ExponentialBackoffStrategy":
        return ExponentialBackoff(factor=_number(one.get("factor", 5)) or 5.0)
    if isinstance(header, str) and not is_template(header):
        if kind == "WaitTimeFromHeader":
            return HeaderBackoff(header=header, regex=regex)
        if kind == "WaitUntilTimeFromHeader":
            return HeaderUntil(header=header, regex=regex, min_wait=_number(one.get("min_wait")) or 0.0)
    findings.assumed(name, f"backoff.{one.get('class_name', kind)}", "waits grow exponentially instead")
    return None


def _number(given: Any) -> float | None:
    try:
        found = float(given)
    except (TypeError, ValueError):
        return None
    return found if 0 <= found < 100_000 else None
