"""The report as one HTML file that needs no network, and no script but for its filter."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path

from platform_assets.platforms import all_platforms, broken_platforms
from platform_assets.reporting import elements, freshness
from platform_assets.reporting.ages import ago, duration
from platform_assets.reporting.charts import Drawn, Panels, Row, text
from platform_assets.reporting.freshness import PlatformHealth
from platform_assets.reporting.sections import SECTIONS
from platform_assets.reporting.sections.section import Chart, Figure, Section, Unit
from platform_assets.warehouse.queries import Reader, reading, rows

_STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
_SCRIPT = Path(__file__).with_name("report.js").read_text(encoding="utf-8")


def report(now: datetime | None = None) -> str:
    """The page for the configured warehouse, as HTML text.

    A platform without rows comes last and says which command loads it, a mart that was not built which one builds it.
    What is shown of platforms that are not declared is left out.

    Args:
        now: the moment that ages are counted to; by default the current one.

    Raises:
        WarehouseError: the warehouse is unavailable, or its marts are those of another version.
    """
    now = now or datetime.now(UTC)
    declared = {platform.name for platform in all_platforms()} | {
        name for broken in broken_platforms() for name in broken.names
    }
    with reading(or_copy=True) as reader:
        health = [freshness.read_health(reader, platform, now) for platform in all_platforms()]
        loaded = {platform.name for platform in health if platform.newest is not None}
        reader.use("marts")
        shown = [section for section in SECTIONS if section.platform in declared]
        shown.sort(key=lambda section: section.platform not in loaded)
        sections = [_section(reader, section, now, section.platform in loaded) for section in shown]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Platform report</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>"
        '<a class="skip" href="#report">Skip to the report</a>'
        f"<header><h1>Platform report</h1>{_created(health, now)}{_filter([p.name for p in health])}</header>"
        f'<main id="report" tabindex="-1">{_first(health, now)}{"".join(sections)}</main>'
        f"<script>{_SCRIPT}</script></body></html>"
    )


def _created(health: Sequence[PlatformHealth], now: datetime) -> str:
    syncs = [row["sync_date"] for platform in health for row in platform.syncs]
    days = " to ".join(sorted({str(min(syncs)), str(max(syncs))})) if syncs else ""
    span = f" Syncs of {days} are listed." if days else ""
    moment = f"{now.astimezone(UTC):%Y-%m-%d %H:%M}"
    return (
        f'<p class="note">As of {moment} UTC, by <code>platform-assets report</code>. Ages count to then; days are UTC.'
        f"{span}</p>"
    )


def _filter(names: Sequence[str]) -> str:
    choices = "".join(
        f'<label><input type="radio" name="platform" value="{name}"{" checked" if name == "all" else ""}>'
        f"{'all platforms' if name == 'all' else name}</label>"
        for name in ("all", *names)
    )
    return (
        f'<form><fieldset id="filter" class="filter" hidden><legend>Show</legend>{choices}</fieldset></form>'
        '<p id="shown" class="note" role="status"></p>'
    )


def _first(health: Sequence[PlatformHealth], now: datetime) -> str:
    """What failed and what is stale, for all platforms together and, hidden until chosen, for each."""
    used = [platform for platform in health if platform.is_used] or health
    scopes = [("all", used), *((platform.name, [platform]) for platform in health)]
    figures = "".join(
        elements.numbers(
            [
                (label, value, note, "bad" if bad else "good")
                for label, value, note, bad in freshness.figures(chosen, now)
            ],
            f' data-figures-of="{name}"{"" if name == "all" else " hidden"}',
        )
        for name, chosen in scopes
    )
    return (
        f'<section aria-labelledby="fresh"><h2 id="fresh">Is the data fresh?</h2>{figures}'
        f"{_findings(used, now)}{_freshness(health, now)}{_syncs(health)}</section>"
    )


def _findings(health: Sequence[PlatformHealth], now: datetime) -> str:
    found = freshness.findings(health, now)
    headings = ("state", "asset", "last load", "why", "what to run")
    body = (
        elements.platform_table(headings, found, "What needs somebody")
        if found
        else elements.empty("Nothing failed, nothing is stale, and every asset was loaded.")
    )
    return elements.figure(
        "What needs somebody", "Failed first, then stale, then what was never loaded.", "_sync_state", body, wide=True
    )


def _freshness(health: Sequence[PlatformHealth], now: datetime) -> str:
    cells = [(platform.name, freshness.freshness_row(platform, now)) for platform in health]
    body = elements.platform_table(freshness.FRESHNESS_HEADINGS, cells, "Age of the data by platform")
    return elements.figure(
        "Age of the data by platform",
        "Oldest data: the asset whose last load is longest ago. Newest record: how lively the platform itself is.",
        "_sync_log",
        body,
        wide=True,
    )


def _syncs(health: Sequence[PlatformHealth]) -> str:
    cells = [
        (platform.name, [platform.name, *(text(row[column]) for column in freshness.SYNC_COLUMNS)])
        for platform in health
        for row in platform.syncs
    ]
    headings = ("platform", *freshness.SYNC_COLUMNS.values())
    body = (
        elements.platform_table(headings, cells, "Syncs by day", high=True)
        if cells
        else elements.empty("No sync has ended yet.")
    )
    note = "What each platform's syncs did, on the last seven days with one. A failure is one resource in one sync."
    return elements.figure("Syncs by day", note, "_sync_log", body, wide=True)


def _section(reader: Reader, section: Section, now: datetime, loaded: bool) -> str:
    name = section.platform
    if loaded:
        marts = reader.tables()
        figures = [found for figure in section.figures if (found := _number(reader, figure, now))]
        cards = [card for chart in section.charts for card in _cards(reader, chart, now, name, chart.mart in marts)]
        body = f'{_days(reader, section)}{elements.numbers(figures)}<div class="grid">{"".join(cards)}</div>'
    else:
        body = elements.empty(f"No tables yet: `platform-assets sync --platform {name}` loads them.")
    return (
        f'<section data-platform="{name}" aria-labelledby="{name}"><h2 id="{name}">{escape(section.title)}</h2>'
        f"{body}</section>"
    )


def _days(reader: Reader, section: Section) -> str:
    for row in rows(reader, section.days):
        first, last = row["first"], row["last"]
        if last is not None:
            span = f"{first} to {last}" if first is not None else f"up to {last}"
            return f'<p class="note">{section.dated} {span}.</p>'
    return ""


def _number(reader: Reader, figure: Figure, now: datetime) -> elements.Number | None:
    for row in rows(reader, _at(figure.query, now)):
        value, before = row["value"], row.get("before")
        if value is None:
            return None
        return figure.label, _written(value, figure.unit, now), _note(figure, before, now), ""
    return None


def _note(figure: Figure, before: object, now: datetime) -> str:
    return figure.note.format(before="none" if before is None else _written(before, figure.unit, now))


def _written(value: object, unit: Unit, now: datetime) -> str:
    if isinstance(value, datetime):
        return duration(now - value) if unit is Unit.AGE else ago(value, now)
    return f"{float(str(value)):.0%}" if unit is Unit.SHARE else text(value)


def _cards(reader: Reader, chart: Chart, now: datetime, platform: str, built: bool) -> Iterator[str]:
    """The cards of a chart: one, or one per panel."""
    source = f"marts.{chart.mart}"
    found: list[Row] = rows(reader, _at(chart.query, now)) if built else []
    if not built:
        words = f"`{source}` is not built yet: `platform-assets sync --platform {platform}` builds it"
        yield elements.figure(chart.title, chart.note, source, elements.empty(words))
    elif not found:
        yield elements.figure(chart.title, chart.note, source, elements.empty(chart.nothing))
    else:
        for title, picture in _pictures(chart, found):
            yield elements.figure(title, chart.note, source, elements.drawn(title, picture))


def _pictures(chart: Chart, found: Sequence[Row]) -> Iterator[tuple[str, Drawn]]:
    if not isinstance(chart.draw, Panels):
        yield chart.title, chart.draw(found, chart.title)
        return
    for panel, draw, chosen in chart.draw.split(found):
        title = f"{chart.title}, {panel}"
        yield title, draw(chosen, title)


def _at(query: str, now: datetime) -> str:
    today: date = now.astimezone(UTC).date()
    return query.replace("{today}", f"DATE '{today}'")
