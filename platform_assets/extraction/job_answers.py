"""What the answers about a job say: how far it is, and where its report is."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from platform_assets.declarations import ReportJob
from platform_assets.declarations.selectors import selector_parts
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import Outgoing

Meaning = Literal["completed", "running", "failed", "timed_out", "skipped"]

_MOST_SHOWN = 60
_KEYS_SHOWN = 20


def as_seen(answer: Answer, asked: Outgoing) -> Any:
    """An answer as templates see it.

    Its body, and what it has not of its own: `headers`, in small letters, and those declared of the request, without
    the credential, as `request.headers`.
    """
    if not isinstance(answer.body, dict):
        return answer.body
    return {"headers": _small(answer.headers), "request": {"headers": _small(asked.headers)}, **answer.body}


def _small(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def status_in(job: ReportJob, answer: Answer) -> tuple[Meaning, str]:
    """What a job's status means, and the status. Raises AnswerError for one that the declaration does not name."""
    found = _found(answer.body, job.status, "status")
    if len(found) != 1 or isinstance(found[0], dict | list):
        raise AnswerError(
            f"`status` {job.status!r} leads to {len(found)} values or an object, where one status belongs"
        )
    status = str(found[0])
    for key, statuses in job.statuses:
        if status in statuses:
            return cast("Meaning", key), status
    keys = ", ".join(f"`{key}`" for key, statuses in job.statuses if statuses)
    raise AnswerError(f"the job's status is {status[:_MOST_SHOWN]!r}, which none of {keys} names")


def targets_in(job: ReportJob, answer: Answer) -> list[str]:
    """The targets in an answer; one empty one if the download needs none. Raises AnswerError for what is no target."""
    if job.targets is None:
        return [""]
    values = _found(answer.body, job.targets, "targets")
    found = [one for value in values if value is not None for one in (value if isinstance(value, list) else [value])]
    for one in found:
        if isinstance(one, bool) or not isinstance(one, str | int) or one == "":
            raise AnswerError(f"`targets` {job.targets!r} leads to what is no address or name: {type(one).__name__}")
    return [str(one) for one in found]


def _found(body: Any, path: str, key: str) -> Sequence[Any]:
    """The values at a path, several if it has `*`. Raises AnswerError where it leads nowhere."""
    values = [body]
    for part in selector_parts(path) or ():
        inner: list[Any] = []
        for value in values:
            if part == "*" and isinstance(value, list | dict):
                inner += value.values() if isinstance(value, dict) else value
            elif isinstance(value, dict) and part in value:
                inner.append(value[part])
            elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
                inner.append(value[int(part)])
            else:
                there = ", ".join(list(map(str, value))[:_KEYS_SHOWN]) if isinstance(value, dict) else "none"
                raise AnswerError(f"`{key}` {path!r} matched nothing: there is no `{part}`; keys there: {there}")
        values = inner
    return values
