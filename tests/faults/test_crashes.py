"""kill -9 at any moment: after the next sync the warehouse is as after an undisturbed one.

A few moments here; `python -m benchmarks.kill_points` has two hundred.
"""

import random
from pathlib import Path

import pytest

from platform_assets.sandbox import SandboxServer
from tests.faults.crashes import LOADER, WORKER, crash, table_differences


@pytest.mark.parametrize(
    ("program", "args", "points"),
    [
        # Chosen moments of a load: sync/test_parents.py and platforms/vendors/test_rounds.py.
        pytest.param(LOADER, ["error_tracking"], 1, marks=pytest.mark.slow, id="load"),
        pytest.param(LOADER, ["error_tracking"], 3, marks=pytest.mark.long, id="more-loads"),
        pytest.param(
            WORKER,
            ["sync", "--platform", "load_testing", "--no-models"],
            1,
            marks=pytest.mark.long,
            id="command",
        ),
    ],
)
def test_the_next_sync_recovers_from_a_killed_one(program: str, args: list[str], points: int, tmp_path: Path) -> None:
    with SandboxServer() as server:
        check = table_differences(server, ["error_tracking" if program is LOADER else "load_testing"])
        found = crash(server, tmp_path, program, args, points, random.Random(points), check)
    assert found.points == points
    assert found.refused == found.wrong == []
