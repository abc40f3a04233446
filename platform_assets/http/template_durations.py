"""ISO 8601 durations of templates: `duration('P1D')` is a timedelta, `duration('P1M')` one by the calendar."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

Moment = TypeVar("Moment", bound=date)

_ISO = re.compile(
    r"(?P<sign>[-+])?P(?=\d|T\d)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,6})W)?"
    r"(?:(?P<days>\d{1,7}(?:\.\d{1,6})?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,8}(?:\.\d{1,6})?)H)?(?:(?P<minutes>\d{1,9}(?:\.\d{1,6})?)M)?"
    r"(?:(?P<seconds>\d{1,10}(?:\.\d{1,6})?)S)?)?"
)
_FIXED = ("weeks", "days", "hours", "minutes", "seconds")


@dataclass(frozen=True)
class CalendarDuration:
    """Months, whose length depends on where they are counted from, and a span of time.

    A day that the month does not have becomes its last one: a month before March 31 is February 28.
    """

    months: int
    rest: timedelta

    def __radd__(self, moment: Any) -> Any:
        if not isinstance(moment, date):
            return NotImplemented
        return self._moved(moment, self.months) + self.rest

    def __rsub__(self, moment: Any) -> Any:
        if not isinstance(moment, date):
            return NotImplemented
        return self._moved(moment, -self.months) - self.rest

    def __neg__(self) -> "CalendarDuration":
        return CalendarDuration(-self.months, -self.rest)

    @staticmethod
    def _moved(moment: Moment, months: int) -> Moment:
        year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
        if not 1 <= year <= 9999:
            raise ValueError(f"a date in the year {year} is out of range")
        return moment.replace(year, month + 1, min(moment.day, monthrange(year, month + 1)[1]))


def duration(text: Any) -> timedelta | CalendarDuration:
    """The duration of an ISO 8601 text. Raises ValueError for another text."""
    found = _ISO.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{str(text)[:40]!r} is no ISO 8601 duration such as `P1D`")
    sign = -1 if found["sign"] == "-" else 1
    fixed = timedelta(**{name: float(found[name] or 0) for name in _FIXED}) * sign
    months = int(found["years"] or 0) * 12 + int(found["months"] or 0)
    return CalendarDuration(months * sign, fixed) if months else fixed
