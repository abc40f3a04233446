"""The kinds of charts: each draws the rows of a query, and gives the same values as a table.

Amounts of different currencies are never added up: `Panels` draws a chart for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Protocol

from platform_assets.reporting import svg
from platform_assets.reporting.axes import Every, Tick, amount_ticks, step_of, step_text, steps, time_ticks, time_title

Row = dict[str, Any]
# Classes in report.css. Those of PALETTE are for series whose names are data; beyond them is "other".
GOOD, BAD, NEUTRAL, SOFT = "good", "bad", "neutral", "soft"
PALETTE = ("s1", "s2", "s3", "s4", "s5", "s6")
# Bars of a histogram, about.
_BINS = 20


@dataclass(frozen=True)
class Series:
    """A column, its name in the legend, and its colour."""

    column: str
    name: str
    tone: str


@dataclass(frozen=True)
class Drawn:
    """A chart as HTML, and the values that it shows as a table; `picture` is empty if the table is all."""

    picture: str
    headings: Sequence[str]
    cells: Sequence[Sequence[str]]


class Draw(Protocol):
    """Draws rows, of which there is at least one; `title` begins the text that describes the picture."""

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn: ...


@dataclass(frozen=True)
class Table:
    """Rows as a table; each column's name and its heading."""

    columns: tuple[tuple[str, str], ...]

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        del title
        return Drawn("", [name for _, name in self.columns], [[text(r[c]) for c, _ in self.columns] for r in rows])


@dataclass(frozen=True)
class Columns:
    """Stacked columns over time; steps without a row have none, and stay on the axis."""

    x: str
    every: Every
    unit: str
    series: tuple[Series, ...]

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        found = steps([row[self.x] for row in rows], self.every)
        amounts = {step: [0.0] * len(self.series) for step in found}
        for row in rows:
            stack = amounts[step_of(row[self.x], self.every)]
            for number, series in enumerate(self.series):
                stack[number] += number_of(row[series.column])
        stacks = list(amounts.values())
        names, tones = [s.name for s in self.series], [s.tone for s in self.series]
        largest = max(map(sum, stacks))
        tips = [_tip(step_text(s, self.every), names, stack) for s, stack in amounts.items()]
        axis = time_title(found, self.every)
        label = f"{title}. Stacked columns of {self.unit}; {axis}. {_sums(names, stacks)}."
        marks = svg.columns(stacks, tones, tips, largest)
        picture = svg.upright(label, time_ticks(found, self.every), (axis, self.unit), largest, marks, percent=False)
        cells = [[step_text(step, self.every), *map(text, stack)] for step, stack in amounts.items()]
        return Drawn(svg.legend(list(zip(names, tones, strict=True))) + picture, [str(self.every), *names], cells)


@dataclass(frozen=True)
class Groups:
    """Stacked columns over time, a series for each value of `by`: the largest ones, and the rest as "other"."""

    x: str
    every: Every
    unit: str
    y: str
    by: str

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        sums: dict[str, float] = {}
        for row in rows:
            sums[str(row[self.by])] = sums.get(str(row[self.by]), 0) + number_of(row[self.y])
        ordered = sorted(sums, key=lambda name: (-sums[name], name))
        # One more than there are colours is no gain as "other".
        shown = ordered if len(ordered) <= len(PALETTE) else ordered[: len(PALETTE) - 1]
        series = [Series(f"series {n}", name, PALETTE[n]) for n, name in enumerate(shown)]
        if rest := len(ordered) - len(shown):
            series.append(Series("other", f"other ({rest})", SOFT))
        place = {one.name: one.column for one in series}
        wide = [
            {
                self.x: row[self.x],
                **{one.column: 0 for one in series},
                place.get(str(row[self.by]), "other"): row[self.y],
            }
            for row in rows
        ]
        return Columns(self.x, self.every, self.unit, tuple(series))(wide, title)


@dataclass(frozen=True)
class Rate:
    """A share from 0 to 100 % over time; the line is broken at steps without one."""

    x: str
    every: Every
    unit: str
    y: str
    tone: str = GOOD

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        found = steps([row[self.x] for row in rows], self.every)
        known = {step_of(r[self.x], self.every): number_of(r[self.y]) for r in rows if r[self.y] is not None}
        shares = [known.get(step) for step in found]
        shown = ["-" if share is None else f"{share:.0%}" for share in shares]
        tips = [f"{step_text(step, self.every)}: {value}" for step, value in zip(found, shown, strict=True)]
        axis = time_title(found, self.every)
        ends = f"From {shown[0]} to {shown[-1]}; lowest {min(known.values(), default=0):.0%}"
        label = f"{title}. Line of {self.unit}; {axis}. {ends}, highest {max(known.values(), default=0):.0%}."
        marks = svg.line(shares, self.tone, tips, 1, percent=True)
        picture = svg.upright(label, time_ticks(found, self.every), (axis, self.unit), 1, marks, percent=True)
        cells = [[step_text(step, self.every), value] for step, value in zip(found, shown, strict=True)]
        return Drawn(picture, [str(self.every), self.unit], cells)


@dataclass(frozen=True)
class Bars:
    """Stacked bars to the right, a row for each value of `name`, in the order of the rows."""

    name: str
    heading: str
    unit: str
    series: tuple[Series, ...]

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        names = [str(row[self.name]) for row in rows]
        amounts = [[number_of(row[series.column]) for series in self.series] for row in rows]
        known, tones = [s.name for s in self.series], [s.tone for s in self.series]
        label = (
            f"{title}. Bars of {self.unit} for each {self.heading}; the first is {_tip(names[0], known, amounts[0])}."
        )
        picture = svg.flat(label, names, amounts, tones, self.unit)
        cells = [[name, *map(text, row)] for name, row in zip(names, amounts, strict=True)]
        headings = [self.heading, *(known if len(known) > 1 else [self.unit])]
        return Drawn(svg.legend(list(zip(known, tones, strict=True))) + picture, headings, cells)


@dataclass(frozen=True)
class Histogram:
    """How many rows have a value of `column` in each of some ranges."""

    column: str
    unit: str
    counted: str

    def __call__(self, rows: Sequence[Row], title: str) -> Drawn:
        values = sorted(number_of(row[self.column]) for row in rows)
        ends = [end for end, _ in amount_ticks(values[-1])]
        width = (ends[1] - ends[0]) / max(1, _BINS // (len(ends) - 1))
        counts = [0.0] * max(1, round(ends[-1] / width))
        for value in values:
            counts[min(int(value / width), len(counts) - 1)] += 1
        ranges = [f"{text(n * width)} to {text((n + 1) * width)}" for n in range(len(counts))]
        middle = values[len(values) // 2]
        label = f"{title}. {len(values)} {self.counted} by {self.unit}: half of them at most {text(round(middle, 1))}."
        tips = [f"{span}: {text(count)} {self.counted}" for span, count in zip(ranges, counts, strict=True)]
        marks = svg.columns([[count] for count in counts], [NEUTRAL], tips, max(counts))
        ticks = [Tick(end / ends[-1], text(end), minor=bool(number % 2)) for number, end in enumerate(ends)]
        picture = svg.upright(label, ticks, (self.unit, self.counted), max(counts), marks, percent=False)
        cells = [[span, text(count)] for span, count in zip(ranges, counts, strict=True) if count]
        return Drawn(picture, [self.unit, self.counted], cells)


def number_of(value: Any) -> float:
    """The value as a number, 0 for null."""
    return 0.0 if value is None else float(value)


def text(value: Any) -> str:
    """A value of a cell: numbers with thousands, moments in UTC, `-` for null."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, date | str | bool):
        return str(value)
    return f"{float(value):,.10g}" if abs(float(value)) < 1000 else f"{float(value):,.0f}"


def _tip(name: str, names: Sequence[str], amounts: Sequence[float]) -> str:
    return f"{name}: {', '.join(f'{text(a)} {n}' for n, a in zip(names, amounts, strict=True))}"


def _sums(names: Sequence[str], stacks: Sequence[Sequence[float]]) -> str:
    sums = [sum(stack[number] for stack in stacks) for number in range(len(names))]
    return f"In all {', '.join(f'{text(total)} {name}' for name, total in zip(names, sums, strict=True))}"


@dataclass(frozen=True)
class Panels:
    """A chart of its own for each value of `by`, whose amounts have different units; `{panel}` stands in the unit."""

    by: str
    draw: Columns | Bars

    def split(self, rows: Sequence[Row]) -> list[tuple[str, Draw, list[Row]]]:
        """Each value with how to draw its rows, those with the most rows first."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(str(row[self.by]), []).append(row)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            (value or "no currency", replace(self.draw, unit=self.draw.unit.format(panel=value or "?")), chosen)
            for value, chosen in ordered
        ]
