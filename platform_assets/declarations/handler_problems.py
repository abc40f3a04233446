"""Checks of error handlers: actions that could never be taken or would be taken always, and waits that never end."""

from collections.abc import Iterator

from platform_assets.declarations.error_handler import (
    ConstantBackoff,
    ErrorHandler,
    ExponentialBackoff,
    HeaderBackoff,
    HeaderUntil,
    ResponseAction,
)
from platform_assets.declarations.patterns import pattern_problem

# (key, what is wrong and how to fix it)
Found = tuple[str, str]


def handler_problems(handler: ErrorHandler, secrets: tuple[str, ...]) -> Iterator[Found]:
    """What is wrong with an error handler.

    Args:
        secrets: settings with the client's credential, which no template may name.
    """
    if min(handler.max_retries, handler.backoff_factor, handler.wait_budget) < 0:
        yield "error_handler", "`max_retries`, `backoff_factor` and `wait_budget` must be 0 or more"
    if not all(100 <= status <= 599 for status in handler.retry_on_status_codes):
        yield "error_handler", "`retry_on_status_codes` must be HTTP statuses"
    for action in handler.response_actions:
        for problem in _action(action, secrets):
            yield "error_handler", f"`response_actions`: {problem}"
    for backoff in handler.backoff:
        if isinstance(backoff, ConstantBackoff) and not 0 <= backoff.seconds <= handler.wait_budget:
            yield "error_handler", "`backoff`: `seconds` must be between 0 and the `wait_budget`"
        if isinstance(backoff, ExponentialBackoff) and not 0 <= backoff.factor <= handler.wait_budget:
            yield "error_handler", "`backoff`: `factor` must be between 0 and the `wait_budget`"
        if isinstance(backoff, HeaderBackoff | HeaderUntil):
            if not backoff.header:
                yield "error_handler", "`backoff`: `header` is empty"
            problem = pattern_problem(backoff.regex) if backoff.regex is not None else None
            if problem is not None:
                yield "error_handler", f"`backoff`: `regex` {problem}"
        if isinstance(backoff, HeaderUntil) and backoff.min_wait < 0:
            yield "error_handler", "`backoff`: `min_wait` must be 0 or more"
    computed = [one for one in handler.backoff if isinstance(one, ConstantBackoff | ExponentialBackoff)]
    if computed and handler.backoff[-1] is not computed[0]:
        yield "error_handler", f"`backoff`: nothing after {type(computed[0]).__name__} is ever used: it always says"


def _action(action: ResponseAction, secrets: tuple[str, ...]) -> Iterator[str]:
    if action.status_code is None and action.content is None and action.condition is None:
        yield f"`{action.action}` without a condition would hold for every response"
    if action.status_code == ():
        yield "`status_code` is empty; leave it out for every status"
    if not all(100 <= status <= 599 for status in action.statuses):
        yield "`status_code` must be HTTP statuses"
    if 200 in action.statuses and action.content is None and action.condition is None:
        yield f"`{action.action}` of every 200 would leave no answer: add `content` or `condition`"
    if action.content == "":
        yield "`content` is empty: every body has it"
    if action.condition is not None:
        # Jinja2 is imported only where a template is used.
        from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, RESPONSE, problem_of

        problem = problem_of(action.condition, RESPONSE | FUNCTIONS | CLOCKS, secrets)
        if problem is not None:
            yield f"`condition`: {problem}"
