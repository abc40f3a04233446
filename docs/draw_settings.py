"""Draws docs/settings.md from the table of settings: `python docs/draw_settings.py`. `make format` does, too."""

from pathlib import Path

from platform_assets.configuration.reference import render
from platform_assets.platforms import shipped_platforms

PAGE = Path(__file__).resolve().parent / "settings.md"


if __name__ == "__main__":
    PAGE.write_text(render(shipped_platforms()), encoding="utf-8")
