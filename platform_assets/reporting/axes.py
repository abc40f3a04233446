"""Axes: round numbers for amounts, and every day, week or month from the first to the last for times."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

# Labels that fit below an axis on a desktop, and below one on a phone.
_LABELS, _PHONE_LABELS = 13, 5


class Every(StrEnum):
    """The length of one step of an axis of time; its name is in the axis' title."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Tick:
    """A label at `position`, from 0 (the axis' beginning) to 1; a `minor` one is left out on a phone."""

    position: float
    text: str
    minor: bool = False


def amount_ticks(largest: float, *, percent: bool = False) -> list[tuple[float, str]]:
    """Round amounts from 0 to at least `largest`, with their texts; from 0 to 100 % for shares."""
    if percent:
        return [(share / 4, f"{share * 25} %") for share in range(5)]
    step = _round_step(largest / 4) if largest > 0 else 1
    return [(step * number, short(step * number)) for number in range(math.ceil(max(largest, step) / step - 1e-9) + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `least`; whole from 1 on."""
    power = 10.0 ** math.floor(math.log10(least))
    factors = (1, 2, 5, 10) if power <= 1 else (1, 2, 2.5, 5, 10)
    return next(factor * power for factor in factors if factor * power >= least * (1 - 1e-9))


def short(amount: float) -> str:
    """`950`, `1.2k`, `3M`: an amount with at most three digits before its unit."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(amount) >= size:
            return f"{amount / size:.3g}{unit}"
    return f"{amount:.3g}"


def steps(values: Iterable[date], every: Every) -> list[date]:
    """The first days of all steps from the earliest to the latest value, also those without a value."""
    begins = {step_of(value, every) for value in values}
    found = [min(begins)]
    while found[-1] < max(begins):
        found.append(_next(found[-1], every))
    return found


def step_of(value: date, every: Every) -> date:
    """The first day of the step that holds a day or moment: the day, its Monday, or the first of its month."""
    day = value.date() if isinstance(value, datetime) else value
    if every is Every.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if every is Every.WEEK else day


def _next(day: date, every: Every) -> date:
    if every is Every.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if every is Every.WEEK else 1)


def step_text(day: date, every: Every) -> str:
    """`2026-11` for a month, else `2026-11-25`."""
    return f"{day:%Y-%m}" if every is Every.MONTH else day.isoformat()


def time_ticks(found: Sequence[date], every: Every) -> list[Tick]:
    """Labels in the middle of steps: of each if they fit, else of every second or third."""
    stride = math.ceil(len(found) / (_LABELS if every is Every.MONTH else _PHONE_LABELS))
    chosen = range(0, len(found), stride)
    thin = math.ceil(len(chosen) / _PHONE_LABELS)
    years = found[0].year != found[-1].year
    return [
        Tick((index + 0.5) / len(found), _tick_text(found[index], every, years), minor=bool(number % thin))
        for number, index in enumerate(chosen)
    ]


def _tick_text(day: date, every: Every, years: bool) -> str:
    if every is Every.MONTH:
        return f"{day:%b}" if day.month > 1 or not years else f"{day:%b %y}"
    return f"{day.day} {day:%b}"


def time_title(found: Sequence[date], every: Every) -> str:
    """What an axis of time shows, e.g. `day (UTC), 2026-10-01 to 2026-11-25`."""
    first, last = step_text(found[0], every), step_text(found[-1], every)
    unit = {Every.DAY: "day (UTC)", Every.WEEK: "week (UTC)", Every.MONTH: "month"}[every]
    return f"{unit}, {first} to {last}" if first != last else f"{unit}, {first}"
