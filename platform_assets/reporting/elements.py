"""Pieces of the page: figures, charts and tables as HTML, every text escaped."""

import re
from collections.abc import Sequence
from html import escape

from platform_assets.reporting.charts import Drawn

# A name from this length on may break, as a person would break it: on a phone it is wider than its card.
_NAME = re.compile(r"(?=\S*[/_.])\S{15,}")
_BREAKS = re.compile(r"([/_.]+)(?=\w)")
# Cells of a column of amounts stand below each other by their digits. A day does not break at its hyphens.
_AMOUNT = re.compile(r"-|-?[\d,.]+ ?%?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

# Label, value, note, and `good`, `bad` or nothing.
Number = tuple[str, str, str, str]


def numbers(found: Sequence[Number], attributes: str = "") -> str:
    """Numbers in large digits, each with its label and a note."""
    items = "".join(
        f'<div class="{tone}"><dt>{escape(label)}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="more">{_breakable(note)}</dd></div>'
        for label, value, note, tone in found
    )
    return f'<dl class="figures"{attributes}>{items}</dl>' if found else ""


def table(headings: Sequence[str], cells: Sequence[Sequence[str]], name: str) -> str:
    """A table that scrolls sideways by itself, also by keyboard; the first cell of each row is its heading."""
    return f"{_scrolled(name)}{_table(headings, [('', row) for row in cells], name, stacked=False)}</div>"


def platform_table(
    headings: Sequence[str], cells: Sequence[tuple[str, Sequence[str]]], name: str, *, high: bool = False
) -> str:
    """A table whose rows belong to a platform, by which the filter hides them; on a phone each cell is a line.

    Args:
        high: scroll it down, too. Not what somebody must see: what is below the edge is easily missed.
    """
    rows = f"{_scrolled(name, high=high)}{_table(headings, cells, name, stacked=True)}</div>"
    # What the filter shows if it hides all of them.
    return f'{rows}<div class="empty" data-instead hidden>Nothing of this platform.</div>'


def _scrolled(name: str, *, high: bool = False) -> str:
    return f'<div class="rows{" high" if high else ""}" role="region" tabindex="0" aria-label="{escape(name)}">'


def _table(headings: Sequence[str], cells: Sequence[tuple[str, Sequence[str]]], name: str, *, stacked: bool) -> str:
    columns = [[row[place] for _, row in cells] for place in range(len(headings))]
    classes = ["", *(" class=amount" if _is_amounts(column) else "" for column in columns[1:])]
    # Roles, because a cell that is laid out as a line is no longer a cell to a screen reader.
    head = "".join(
        f'<th scope="col" role="columnheader"{kind}>{escape(heading)}</th>'
        for heading, kind in zip(headings, classes, strict=True)
    )
    rows = "".join(
        f'<tr role="row"{f" data-platform={platform}" if platform else ""}>{_row(headings, row, classes)}</tr>'
        for platform, row in cells
    )
    return (
        f'<table role="table" aria-label="{escape(name)}"{" class=stack" if stacked else ""}>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>'
    )


def _is_amounts(column: Sequence[str]) -> bool:
    return all(map(_AMOUNT.fullmatch, column)) and any(cell != "-" for cell in column)


def _row(headings: Sequence[str], row: Sequence[str], classes: Sequence[str]) -> str:
    (first, *others), (_, *kinds) = row, classes
    cells = "".join(
        f'<td role="cell" data-heading="{escape(heading)}"{kind}>{_breakable(cell)}</td>'
        for heading, cell, kind in zip(headings[1:], others, kinds, strict=True)
    )
    return f'<th scope="row" role="rowheader">{_breakable(first)}</th>{cells}'


def figure(title: str, note: str, source: str, body: str, *, wide: bool = False) -> str:
    """A card with a title, how to read it, and the table that it shows."""
    return (
        f"<figure{' class=wide' if wide else ''}><figcaption><h3>{escape(title)}</h3>"
        f"<p>{escape(note)} <code>{_breakable(source)}</code></p></figcaption>{body}</figure>"
    )


def drawn(title: str, found: Drawn) -> str:
    """A picture with its values as a table below it, closed at first; or the table alone."""
    values = table(found.headings, found.cells, title)
    if not found.picture:
        return values
    return f"{found.picture}<details><summary>Values of “{escape(title)}” as a table</summary>{values}</details>"


def empty(words: str) -> str:
    """What is said in place of a chart or a table; what stands between backticks is code."""
    coded = re.sub("`([^`]+)`", r"<code>\1</code>", escape(words))
    return f'<div class="empty">{coded}</div>'


def _breakable(text: str) -> str:
    """A text whose long names break after `/`, `_` and `.` if they must, and whose days do not."""
    named = _NAME.sub(lambda name: "<span class=name>" + _BREAKS.sub(r"\1<wbr>", name[0]) + "</span>", escape(text))
    return _DAY.sub(r"<span class=day>\g<0></span>", named)
