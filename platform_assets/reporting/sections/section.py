"""What a section of the report is made of.

Queries are plain SQL that both DuckDB and Postgres understand; `{today}` is the UTC day of the report as a literal.
"""

from dataclasses import dataclass
from enum import StrEnum

from platform_assets.reporting.charts import Draw, Panels


class Unit(StrEnum):
    """How a figure is written."""

    COUNT = "count"
    SHARE = "share"
    AGE = "age"


@dataclass(frozen=True)
class Figure:
    """A number in large digits.

    Attributes:
        query: SQL with one row of `value` (a moment for an age; null if there is nothing to say) and perhaps `before`.
        note: a few words below it; `{before}` is that column's value.
    """

    label: str
    note: str
    mart: str
    query: str
    unit: Unit = Unit.COUNT


@dataclass(frozen=True)
class Chart:
    """One chart, or one per panel.

    Attributes:
        note: a sentence below the title on how to read it.
        mart: the table in the schema `marts` that is named as its source.
        query: SQL whose rows are drawn.
        nothing: text if the query has no rows.
    """

    title: str
    note: str
    mart: str
    query: str
    draw: Draw | Panels
    nothing: str = "No rows yet."


@dataclass(frozen=True)
class Section:
    """Figures and charts of a platform; left out if it is not declared.

    Attributes:
        dated: what has the days of `days`, in words.
        days: SQL with one row of `first` and `last`, the days that its records span.
    """

    platform: str
    title: str
    dated: str
    days: str
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]


# What a chart of days shows, in words for its note. An account has years of them: as columns, less than a pixel each.
QUARTER = "The last 90 days."
NONE_THEN = "None in this time."


def quarter(day: str) -> str:
    """A condition: the last 90 days, today among them."""
    return f"{day} > {{today}} - 90 AND {day} <= {{today}}"


def year_of_weeks(day: str) -> str:
    """A condition: this week and the 52 before."""
    return f"{day} >= date_trunc('week', {{today}}) - INTERVAL '52 weeks' AND {day} <= {{today}}"


def months(day: str, before: int, after: int) -> str:
    """A condition: this month, and some before and after it. A date somebody mistyped may be centuries away."""
    this = "date_trunc('month', {today})"
    return f"{day} BETWEEN {this} - INTERVAL '{before} months' AND {this} + INTERVAL '{after} months'"


def week(column: str, table: str, day: str) -> str:
    """A sum over the last seven whole or begun days, and over the seven before."""
    return (
        f"SELECT sum({column}) FILTER (WHERE {day} > {{today}} - 7) AS value,"
        f" sum({column}) FILTER (WHERE {day} > {{today}} - 14 AND {day} <= {{today}} - 7) AS before FROM {table}"
    )


def share_of_week(part: str, whole: str, table: str, day: str) -> str:
    """The same for a share."""
    recent, earlier = f"{day} > {{today}} - 7", f"{day} > {{today}} - 14 AND {day} <= {{today}} - 7"
    shares = [
        f"sum({part}) FILTER (WHERE {span}) / CAST(nullif(sum({whole}) FILTER (WHERE {span}), 0) AS double precision)"
        for span in (recent, earlier)
    ]
    return f"SELECT {shares[0]} AS value, {shares[1]} AS before FROM {table}"
