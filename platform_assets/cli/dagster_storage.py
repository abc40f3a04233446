"""Whether Dagster's storage in our own home can be opened, without importing Dagster for it.

`environment.open_instance` is how it is opened for work. A home that somebody has configured is opened that way here
too; in the one that we made, all storage is SQLite files, which can be tried directly.
"""

import sqlite3
from pathlib import Path

from platform_assets.cli.environment import DAGSTER_YAML, EARLIER_YAML, open_instance
from platform_assets.configuration.dagster_home import unusable_home
from platform_assets.http.errors import SettingsError

_DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


def try_to_open(home: Path) -> None:
    """Raise SettingsError if Dagster's storage in an existing home cannot be opened and written."""
    try:
        ours = (home / "dagster.yaml").read_text() in (DAGSTER_YAML, *EARLIER_YAML)
    except (OSError, ValueError):
        ours = False
    if not ours:
        with open_instance():
            return
    for path in (home / name for name in _DATABASES):
        if path.exists():
            _try_database(home, path)


def _try_database(home: Path, path: Path) -> None:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=10)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.rollback()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise SettingsError(unusable_home(home, f"{path.relative_to(home)}: {error}")) from None
