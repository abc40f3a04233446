"""dbt in a process of its own, on a warehouse file and with a target folder of its own.

dbt parses every file again, for 2 s of CPU, if the path of the warehouse is not the one that it parsed with. So it
finds each warehouse under the same path: beside the folder that it runs in, which has links to the project.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from platform_assets.configuration.platform_settings import read_settings
from platform_assets.dbt.program import PARTIAL_PARSE, project_dir
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse

PARSED = project_dir() / "target" / "tests" / PARTIAL_PARSE.name
"""What dbt has parsed in the last test; it checks itself which files are no longer the same."""


def load_everything() -> None:
    """Every table of every platform, in this process."""
    for platform in all_platforms():
        settings = read_settings(platform)
        for children in (False, True):
            names = tuple(r.name for r in platform.resources if bool(r.parent) == children)
            with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                sync(client, warehouse, Selection(names))


def build(warehouse: Path, target: Path, *options: str) -> dict[str, str]:
    """`dbt build`; status by node."""
    run_dbt("build", *options, warehouse=warehouse, target=target)
    results = json.loads((target / "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in results}


def run_dbt(*words: str, warehouse: Path, target: Path, variables: Mapping[str, str] | None = None) -> None:
    parsed = target / PARTIAL_PARSE.name
    target.mkdir(parents=True, exist_ok=True)
    if PARSED.exists() and not parsed.exists():
        shutil.copy(PARSED, parsed)
    ended = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *words,
            "--target-path",
            str(target),
            "--profiles-dir",
            ".",
        ],
        cwd=links_beside(warehouse),
        env={
            "PLATFORM_ASSETS_DUCKDB": f"../{warehouse.name}",
            "PATH": "/usr/bin:/bin",
            "HOME": str(target),
            **(variables or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    # `source freshness` fails where a table is too late; its results say so.
    assert ended.returncode == 0 or words[:2] == ("source", "freshness"), ended.stdout[-3000:]
    PARSED.parent.mkdir(parents=True, exist_ok=True)
    mine = PARSED.with_suffix(f".{os.getpid()}")  # another worker may copy it now
    shutil.copy(parsed, mine)
    mine.replace(PARSED)


def links_beside(warehouse: Path) -> Path:
    """A folder with links to the dbt project, beside a warehouse."""
    folder = warehouse.parent / "dbt_project"
    if not folder.exists():
        folder.mkdir()
        for path in project_dir().iterdir():
            if path.name not in ("target", "logs"):
                (folder / path.name).symlink_to(path)
    return folder
