"""Pieces of the page: figures, charts and tables as HTML, every text escaped."""

from collections.abc import Sequence
from html import escape

from platform_assets.reporting.charts import Drawn

# Label, value, note, and `good`, `bad` or nothing.
Number = tuple[str, str, str, str]


def numbers(found: Sequence[Number], attributes: str = "") -> str:
    """Numbers in large digits, each with its label and a note."""
    items = "".join(
        f'<div class="{tone}"><dt>{escape(label)}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="more">{escape(note)}</dd></div>'
        for label, value, note, tone in found
    )
    return f'<dl class="figures"{attributes}>{items}</dl>' if found else ""


def table(headings: Sequence[str], cells: Sequence[Sequence[str]], name: str) -> str:
    """A table that scrolls by itself, also by keyboard; the first cell of each row is its heading."""
    return f"{_scrolled(name)}{_table(headings, [('', row) for row in cells], name, stacked=False)}</div>"


def platform_table(headings: Sequence[str], cells: Sequence[tuple[str, Sequence[str]]], name: str) -> str:
    """A table whose rows belong to a platform, by which the filter hides them; on a phone each cell is a line."""
    return f"{_scrolled(name)}{_table(headings, cells, name, stacked=True)}</div>"


def _scrolled(name: str) -> str:
    return f'<div class="rows" role="region" tabindex="0" aria-label="{escape(name)}">'


def _table(headings: Sequence[str], cells: Sequence[tuple[str, Sequence[str]]], name: str, *, stacked: bool) -> str:
    # Roles, because a cell that is laid out as a line is no longer a cell to a screen reader.
    head = "".join(f'<th scope="col" role="columnheader">{escape(heading)}</th>' for heading in headings)
    rows = "".join(
        f'<tr role="row"{f" data-platform={platform}" if platform else ""}>{_row(headings, row)}</tr>'
        for platform, row in cells
    )
    return (
        f'<table role="table" aria-label="{escape(name)}"{" class=stack" if stacked else ""}>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{rows}</tbody></table>'
    )


def _row(headings: Sequence[str], row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(
        f'<td role="cell" data-heading="{escape(heading)}">{escape(cell)}</td>'
        for heading, cell in zip(headings[1:], others, strict=True)
    )
    return f'<th scope="row" role="rowheader">{escape(first)}</th>{cells}'


def figure(title: str, note: str, source: str, body: str, *, wide: bool = False) -> str:
    """A card with a title, how to read it, and the table that it shows."""
    return (
        f"<figure{' class=wide' if wide else ''}><figcaption><h3>{escape(title)}</h3>"
        f"<p>{escape(note)} <code>{escape(source)}</code></p></figcaption>{body}</figure>"
    )


def drawn(title: str, found: Drawn) -> str:
    """A picture with its values as a table below it, closed at first; or the table alone."""
    values = table(found.headings, found.cells, title)
    if not found.picture:
        return values
    return f"{found.picture}<details><summary>Values of “{escape(title)}” as a table</summary>{values}</details>"


def empty(words: str) -> str:
    return f'<div class="empty">{escape(words)}</div>'
