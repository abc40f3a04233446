"""How an API writes moments in its parameters: `strftime` directives, and numbers of seconds or less since 1970.

    %s  1767225600      %s_as_float  1767225600.0      %ms  1767225600000      %epoch_microseconds  1767225600000000
    %Y-%m-%dT%H:%M:%S.%_ms%:z      2026-01-01T00:00:00.000+00:00

All in UTC. Python leaves `%s` to the C library, which takes it for local time; and its `%f` has six digits where many
servers take three (`%_ms`).
"""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Formats that are one number, and how many microseconds one of it has.
_NUMBERS = {"%s": 1_000_000, "%s_as_float": 1_000_000, "%ms": 1000, "%epoch_microseconds": 1}
_DIRECTIVE = re.compile(r"%(_ms|:z|.)", re.DOTALL)
# Directives that `strptime` reads too, so that what is sent can be told from what is meant.
_KNOWN = frozenset("YmdHMSfzZjyaAbBIp%") | {"_ms", ":z"}


def format_problem(format: str) -> str | None:
    """What is wrong with a format; None if nothing is."""
    if format in _NUMBERS:
        return None
    directives = _DIRECTIVE.findall(format)
    if not directives:
        return f"{format!r} says no time: it needs directives as `%Y`"
    unknown = "ms" if "%ms" in format else next((one for one in directives if one not in _KNOWN), None)
    if unknown is not None:
        return f"`%{unknown}` of {format!r} is not known; `%s`, `%ms` and the like stand alone"
    return None


def format_moment(moment: datetime, format: str) -> str:
    """A moment as the API writes it, cut off (never rounded up) to what the format shows."""
    moment = moment.astimezone(UTC)
    if format in _NUMBERS:
        number = (moment - _EPOCH) // (_MICROSECOND * _NUMBERS[format])
        return f"{number}.0" if format == "%s_as_float" else str(number)
    milliseconds = f"{moment.microsecond // 1000:03}"
    replaced = {"_ms": milliseconds, ":z": "+00:00", "Y": f"{moment.year:04}"}
    return moment.strftime(_DIRECTIVE.sub(lambda found: replaced.get(found[1], found[0]), format))


def parse_moment(text: str, format: str) -> datetime:
    """The moment that a text in this format says, in UTC if it names no zone. Raises ValueError for another text."""
    if format in _NUMBERS:
        return _EPOCH + _MICROSECOND * round(float(text) * _NUMBERS[format])
    readable = _DIRECTIVE.sub(lambda found: {"_ms": "%f", ":z": "%z"}.get(found[1], found[0]), format)
    moment = datetime.strptime(text, readable)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moment_of(text: str, format: str) -> datetime:
    """The moment that a text in this format or in ISO 8601 says, in UTC if it names no zone. Raises ValueError."""
    try:
        return parse_moment(text, format)
    except (ValueError, OverflowError):
        moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def resolution(format: str) -> timedelta:
    """The smallest step that a format shows."""
    if format in _NUMBERS:
        return _MICROSECOND * _NUMBERS[format]
    directives = set(_DIRECTIVE.findall(format))
    for names, step in (
        ({"f"}, _MICROSECOND),
        ({"_ms"}, timedelta(milliseconds=1)),
        ({"S"}, timedelta(seconds=1)),
        ({"M"}, timedelta(minutes=1)),
        ({"H", "I"}, timedelta(hours=1)),
    ):
        if names & directives:
            return step
    return timedelta(days=1)


def rounded_up(moment: datetime, step: timedelta) -> datetime:
    """The first moment of whole steps since 1970 that is not before this one."""
    return _EPOCH + step * -((_EPOCH - moment) // step)
