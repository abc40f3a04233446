"""Where Dagster keeps its history, and what else belongs to an installation."""

import os
from pathlib import Path


def dagster_home_path() -> Path:
    """Absolute path of Dagster's home, which may not exist yet: `DAGSTER_HOME`, by default `data/dagster_home`."""
    return Path(os.environ.get("DAGSTER_HOME") or "data/dagster_home").expanduser().absolute()


def unusable_home(home: Path, reason: str | None) -> str:
    """The message of a Dagster home that cannot be used, with the reason in one line."""
    return f"DAGSTER_HOME {home} cannot be used: {reason}"
