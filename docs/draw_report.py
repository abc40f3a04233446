"""Draws docs/report.png, report-dark.png and report-phone.png from the sandbox's data: `python docs/draw_report.py`.

Loads everything into a new DuckDB file first (a few minutes), or takes `--warehouse FILE` as it is. Needs Chromium.
Fails if the page scrolls sideways at the width of a small phone.
"""

import argparse
import os
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from chromium import COMMAND, FLAGS, program

DOCS = Path(__file__).parent
DARK = "--blink-settings=preferredColorScheme=0"
PHONE = 360
# To the end of the first row of charts.
WINDOW = (1280, 1668)


def main() -> None:
    """Load if need be, write the report, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warehouse", type=Path, help="a DuckDB file that is loaded")
    given = parser.parse_args().warehouse
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = {
            "DESTINATION__DUCKDB__CREDENTIALS": str((given or folder / "warehouse.duckdb").absolute()),
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "SANDBOX__DAY": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        page = folder / "report.html"
        if given is None:
            _run([*COMMAND, "sync", "--sandbox"], variables)
        _run([*COMMAND, "report", "-o", str(page)], variables)
        _check_width(folder, page)
        _picture(folder, page, DOCS / "report.png", WINDOW)
        _picture(folder, page, DOCS / "report-dark.png", WINDOW, DARK)
        _picture(folder, _framed(folder, page), DOCS / "report-phone.png", (PHONE * 2 + 20, 1560))


def _run(command: list[str], variables: dict[str, str]) -> None:
    subprocess.run(command, check=True, env={**os.environ, **variables}, cwd=DOCS.parent)


def _framed(folder: Path, page: Path) -> Path:
    """A page with two phones, the second scrolled to charts: Chromium's own windows cannot be as narrow."""
    frame = f'style="width:{PHONE}px;height:1560px;border:0" title="phone"'
    framed = folder / "phones.html"
    framed.write_text(
        f'<body style="margin:0;display:flex;gap:20px;background:#666"><iframe src="{page.name}" {frame}></iframe>'
        f'<iframe src="{page.name}#ci_analytics" {frame}></iframe></body>'
    )
    return framed


def _check_width(folder: Path, page: Path) -> None:
    """Raise SystemExit if something makes the page wider than a phone."""
    framed = folder / "width.html"
    framed.write_text(
        f'<iframe id="f" src="{page.name}" style="width:{PHONE}px;height:900px;border:0"></iframe><p id="said"></p>'
        "<script>f.onload = () => {"
        " said.textContent = `width ${f.contentDocument.documentElement.scrollWidth}`; };</script>"
    )
    shown = _chromium(folder, "--dump-dom", "--virtual-time-budget=5000", framed.as_uri())
    width = re.search(r"width (\d+)", shown.split('id="said"')[1])
    if width is None or int(width[1]) > PHONE:
        raise SystemExit(f"the page is {width[1] if width else '?'} pixels wide on a phone of {PHONE}")


def _picture(folder: Path, page: Path, target: Path, size: tuple[int, int], *flags: str) -> None:
    _chromium(folder, f"--screenshot={target}", f"--window-size={size[0]},{size[1]}", *flags, page.as_uri())
    print(f"written: {target}")


def _chromium(folder: Path, *args: str) -> str:
    profile = tempfile.mkdtemp(dir=folder)
    command = [program(), *FLAGS, "--allow-file-access-from-files", f"--user-data-dir={profile}", *args]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


if __name__ == "__main__":
    main()
