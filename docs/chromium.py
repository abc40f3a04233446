"""Chromium without a window, for the scripts that take pictures, and our own command, which makes what they show."""

import shutil
import sys

COMMAND = [sys.executable, "-c", "from platform_assets.cli import main; main()"]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


def program() -> str:
    """The installed Chromium. Raises SystemExit without one."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("Chromium is not installed")
    return found
