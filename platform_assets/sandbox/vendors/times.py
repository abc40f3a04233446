"""The vendors' formats of time, and the reference's."""

from datetime import UTC, datetime


def iso_moment(text: str) -> datetime | None:
    """An ISO 8601 time (UTC if it names no zone), or None if it is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def any_moment(text: str) -> datetime:
    """A time of the backend, in whichever of its formats."""
    return datetime.fromisoformat(text.replace(" UTC", "+00:00")).astimezone(UTC) if text[-1] in "CZ" else plain(text)


def plain(text: str) -> datetime:
    """A `YYYY-MM-DD HH:MM:SS` in UTC."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def rfc3339(text: str | None) -> str | None:
    """A `YYYY-MM-DD HH:MM:SS` as RFC 3339 with `Z`."""
    return None if text is None else plain(text).strftime("%Y-%m-%dT%H:%M:%SZ")
