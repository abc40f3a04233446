"""The report as one HTML file that needs no network, because it contains plotly's script."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.reporting.charts import SECTIONS, Chart, Row, Table
from platform_assets.warehouse.queries import Reader, reading, rows

# Height of a chart in pixels; a longer table scrolls.
_HEIGHT = 340
_STYLE = """
:root { color-scheme: light; font-family: system-ui, sans-serif; color: #1d2a3a; background: #f4f6f9; }
body { margin: 0 auto; max-width: 1240px; padding: 24px; }
h1 { font-size: 26px; margin: 8px 0 2px; } h2 { font-size: 20px; margin: 36px 0 12px; }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
figure { margin: 0; background: #fff; border: 1px solid #dde3ea; border-radius: 8px; min-width: 0; overflow: hidden; }
figure { padding: 14px 14px 4px; }
figure:only-child { grid-column: 1 / -1; }
figcaption b { font-size: 15px; } figcaption span, .note { color: #5a6878; font-size: 13px; }
figcaption span { display: block; margin-top: 2px; } code { font-size: 12px; color: #5a6878; }
.rows { max-height: 340px; overflow: auto; margin: 10px 0; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid #e8edf3; font-size: 13px; }
th { background: #f4f6f9; position: sticky; top: 0; }
.empty { color: #5a6878; padding: 40px 0; text-align: center; }
@media (max-width: 900px) { .grid { grid-template-columns: 1fr; } body { padding: 12px; } }
"""


def report() -> str:
    """The page for the configured warehouse, as HTML text.

    The chart of a mart without rows says so; a mart that was never built counts as empty. Charts of platforms that are
    not declared are left out.

    Raises:
        WarehouseError: the warehouse is unavailable, or its marts are those of another version.
    """
    declared = {platform.name for platform in all_platforms()} | {broken.module for broken in broken_platforms()}
    with reading("marts") as reader:
        sections = [
            _section(section.title, [_figure(reader, chart) for chart in section.charts])
            for section in SECTIONS
            if section.platform is None or section.platform in declared
        ]
    created = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>platform_assets: marts overview</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style>'
        f"<script>{get_plotlyjs()}</script></head><body><h1>Marts overview</h1>"
        f'<p class="note">Created {created} by <code>platform-assets report</code> from the tables in the schema'
        f" <code>marts</code>. Days are UTC.</p>{''.join(sections)}</body></html>"
    )


def _section(title: str, figures: Sequence[str]) -> str:
    return f'<section><h2>{escape(title)}</h2><div class="grid">{"".join(figures)}</div></section>'


def _figure(reader: Reader, chart: Chart) -> str:
    found = rows(reader, chart.query)
    body = _body(chart, found) if found else f'<div class="empty">{escape(chart.nothing)}</div>'
    return (
        f"<figure><figcaption><b>{escape(chart.title)}</b><span>{escape(chart.note)}"
        f" <code>marts.{escape(chart.mart)}</code></span></figcaption>{body}</figure>"
    )


def _body(chart: Chart, rows: Sequence[Row]) -> str:
    return _table(chart.draw, rows) if isinstance(chart.draw, Table) else _plot(chart.draw(rows))


def _table(table: Table, rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for _, heading in table.columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in cells)}</tr>" for cells in table.cells(rows))
    return f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _plot(figure: go.Figure) -> str:
    figure.update_layout(
        template="plotly_white",
        height=_HEIGHT,
        margin={"l": 50, "r": 16, "t": 12, "b": 36},
        legend={"orientation": "h", "y": -0.15},
        font={"family": "system-ui, sans-serif", "size": 12},
    )
    figure.update_yaxes(automargin=True)
    return figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False, "responsive": True})
