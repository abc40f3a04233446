"""Charts as SVG without scripts: they stretch with the page, text keeps its size, colours are the page's classes.

Across, positions are percent of the plot's width; down, they are pixels. Labels stand outside the plot, in the padding
that its class has in report.css.
"""

from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

from platform_assets.reporting.axes import Tick, amount_ticks, short

# Pixels: height of an upright plot, and of one row of a flat one.
HEIGHT, ROW = 190, 28
# Columns from which on they have no outline.
_DENSE = 30
# Widest name beside a flat bar, in letters.
_NAME = 17


def upright(
    label: str, ticks: Sequence[Tick], titles: tuple[str, str], largest: float, marks: str, percent: bool
) -> str:
    """A plot whose amounts go up.

    Args:
        label: what it shows, for those who do not see it.
        titles: of the axis below, and of the amounts, each with its unit.
        largest: the largest amount; the axis ends at a round number from there on.
        marks: what `columns` and `line` have drawn.
    """
    amounts = amount_ticks(largest, percent=percent)
    top = amounts[-1][0]
    lines = "".join(
        f'<line x1="0" x2="100%" y1="{_y(amount, top)}" y2="{_y(amount, top)}"/>'
        f'<text x="-8" y="{_y(amount, top)}" dy="4" text-anchor="end">{text}</text>'
        for amount, text in amounts
    )
    names = "".join(
        f'<text{" class=minor" if tick.minor else ""} x="{_percent(tick.position)}" y="{HEIGHT + 17}"'
        f' text-anchor="middle">{escape(tick.text)}</text>'
        for tick in ticks
    )
    below = f'<text class="title" x="50%" y="{HEIGHT + 36}" text-anchor="middle">{escape(titles[0])}</text>'
    above = f'<text class="title" x="-46" y="-12">{escape(titles[1])}</text>'
    return _plot("upright", label, HEIGHT, f'<g class="axis">{lines}{names}{below}{above}</g>{marks}')


def columns(amounts: Sequence[Sequence[float]], tones: Sequence[str], tips: Sequence[str], largest: float) -> str:
    """Stacked columns, one per step: for each step its amounts by series, and the text that pointing at it shows."""
    top = amount_ticks(largest)[-1][0]
    width = 100 / len(amounts)
    gap = width * 0.12
    found = []
    for number, (stack, tip) in enumerate(zip(amounts, tips, strict=True)):
        base, rects = 0.0, ""
        for amount, tone in zip(stack, tones, strict=True):
            if amount > 0:
                height = (amount / top) * HEIGHT
                y = HEIGHT - (base / top) * HEIGHT - height
                rects += (
                    f'<rect class="{tone}" x="{number * width + gap / 2:.2f}%" width="{max(width - gap, 0.3):.2f}%"'
                    f' y="{y:.1f}" height="{height:.1f}"/>'
                )
                base += amount
        found.append(f"<g><title>{escape(tip)}</title>{rects}</g>" if rects else "")
    # On a phone a column of many is two pixels wide: its outline would take half of its colour.
    return f"<g{' class=dense' if len(amounts) > _DENSE else ''}>{''.join(found)}</g>"


def line(shares: Sequence[float | None], tone: str, tips: Sequence[str], largest: float, percent: bool) -> str:
    """A line over all steps, broken where an amount is missing, with a point for each amount."""
    top = amount_ticks(largest, percent=percent)[-1][0]
    width = 100 / len(shares)
    runs: list[list[str]] = [[]]
    points = ""
    for number, (share, tip) in enumerate(zip(shares, tips, strict=True)):
        if share is None:
            runs.append([])
            continue
        x, y = (number + 0.5) * width, _y(share, top)
        runs[-1].append(f"{x:.2f},{float(y) / HEIGHT * 100:.2f}")
        points += f'<circle class="{tone}" cx="{x:.2f}%" cy="{y}" r="3.5"><title>{escape(tip)}</title></circle>'
    drawn = "".join(f'<polyline class="{tone}" points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    return f'<svg viewBox="0 0 100 100" preserveAspectRatio="none" height="100%" width="100%">{drawn}</svg>{points}'


def flat(label: str, names: Sequence[str], amounts: Sequence[Sequence[float]], tones: Sequence[str], title: str) -> str:
    """Stacked bars that go to the right, a row for each name, with the row's sum at its end; `title` has the unit."""
    largest = max((sum(row) for row in amounts), default=0)
    ticks = amount_ticks(largest)
    top, height = ticks[-1][0], ROW * len(names)
    grid = "".join(
        f'<line x1="{_percent(amount / top)}" x2="{_percent(amount / top)}" y1="0" y2="{height}"/>'
        f'<text{" class=minor" if number % 2 else ""} x="{_percent(amount / top)}" y="{height + 17}"'
        f' text-anchor="middle">{text}</text>'
        for number, (amount, text) in enumerate(ticks)
    )
    below = f'<text class="title" x="50%" y="{height + 36}" text-anchor="middle">{escape(title)}</text>'
    rows = ""
    for number, (name, row) in enumerate(zip(names, amounts, strict=True)):
        y, base, rects = number * ROW, 0.0, ""
        for amount, tone in zip(row, tones, strict=True):
            rects += (
                f'<rect class="{tone}" x="{_percent(base / top)}" width="{_percent(amount / top)}"'
                f' y="{y + 5}" height="{ROW - 10}"/>'
            )
            base += amount
        rows += (
            f"<g><title>{escape(name)}: {short(base)}</title>"
            f'<text x="-8" y="{y + 18}" text-anchor="end">{escape(_cut(name))}</text>{rects}'
            f'<text class="value" x="{_percent(base / top)}" dx="5" y="{y + 18}">{short(base)}</text></g>'
        )
    return _plot("flat", label, height, f'<g class="axis">{grid}{below}</g>{rows}')


def _plot(kind: str, label: str, height: int, content: str) -> str:
    return (
        f'<div class="plot {kind}"><svg role="img" aria-label="{escape(label)}" width="100%" height="{height}">'
        f"{content}</svg></div>"
    )


def legend(series: Sequence[tuple[str, str]]) -> str:
    """Names of series beside their colours; none for a single one, which the axis' title names."""
    if len(series) < 2:
        return ""
    items = "".join(f'<li><span class="key {tone}"></span>{escape(name)}</li>' for name, tone in series)
    return f'<ul class="legend" aria-hidden="true">{items}</ul>'


def _y(amount: float, top: float) -> str:
    return f"{HEIGHT - amount / top * HEIGHT:.1f}"


def _percent(share: float) -> str:
    return f"{share * 100:.2f}%"


def _cut(name: str) -> str:
    """The name; if it is too wide, its beginning and its end, where names that are alike differ."""
    if _width(name) <= _NAME:
        return name
    first, last = name, name
    while _width(first) > _NAME // 3:
        first = first[:-1]
    while _width(first) + 1 + _width(last) > _NAME:
        last = last[1:]
    return f"{first}…{last}"


def _width(name: str) -> int:
    """Places of its letters; those of East Asia take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in name)
