"""The day on which the sandbox's records begin to be, so that they end today and stay the same for a warehouse.

Why a file: docs/decisions/17-the-sandbox-lives-today.md.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from platform_assets.configuration import SANDBOX, SANDBOX_DAY, read

if TYPE_CHECKING:
    from platform_assets.sandbox import FakeBackend

# Below the current folder, as the default warehouse is.
DAY_FILE = Path("data/sandbox_day")
Clock = Callable[[], datetime]


def sandbox_records(clock: Clock = lambda: datetime.now(UTC)) -> tuple[FakeBackend, Clock | None]:
    """The sandbox's records as of now, and the clock by which it adds days to them; no clock if the day is fixed.

    Raises SettingsError if the setting of the day is no day.
    """
    from platform_assets.sandbox import FakeBackend

    fixed = read(SANDBOX, SANDBOX_DAY)
    if fixed is not None:
        return FakeBackend(now=fixed), None
    backend = FakeBackend(now=first_day(clock()))
    backend.catch_up(clock())
    return backend, clock


def first_day(now: datetime) -> datetime:
    """The start, in UTC, of the day on which the sandbox was first started in this folder: today the first time.

    A file that cannot be written or read, or that names a day to come, counts as none.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        DAY_FILE.parent.mkdir(parents=True, exist_ok=True)
        with DAY_FILE.open("x", encoding="utf-8") as file:
            file.write(f"{today:%Y-%m-%d}\n")
    except OSError:
        pass  # It exists, or nothing can be written here.
    try:
        recorded = datetime.strptime(DAY_FILE.read_text(encoding="utf-8").strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except (OSError, ValueError):
        return today
    return min(recorded, today)
