"""dbt in a process of its own, on a warehouse file and with a target folder of its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from platform_assets.dbt.project import PROJECT_DIR


def build(warehouse: Path, target: Path, *options: str) -> dict[str, str]:
    """`dbt build`; status by node."""
    run_dbt("build", *options, warehouse=warehouse, target=target)
    results = json.loads((target / "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in results}


def run_dbt(*words: str, warehouse: Path, target: Path, variables: Mapping[str, str] | None = None) -> None:
    ended = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *words,
            "--target-path",
            str(target),
            "--profiles-dir",
            ".",
        ],
        cwd=PROJECT_DIR,
        env={
            "PLATFORM_ASSETS_DUCKDB": str(warehouse),
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
