"""Hostile manifests end in one line, within bounds of time and memory that a process of its own enforces."""

import json
import resource
import subprocess
import sys
from typing import Any

import pytest

from tests.importing.manifest.hostile import HOSTILE

# Of processor time for all of them, several times what they need; and of memory, with the interpreter's own.
_SECONDS = 90
_MEMORY = 600_000_000

READ_ALL = """
import json, sys
from pathlib import Path
from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.reading import read_manifest
from tests.importing.manifest.hostile import HOSTILE

for what, (text, _) in HOSTILE.items():
    try:
        found = read_manifest(text, Path("shop.yaml"), Findings())
        size = sum(len(repr(one.component)) for one in found.streams)
        print(json.dumps([what, None, size]), flush=True)
    except UnreadableDocument as error:
        print(json.dumps([what, str(error), 0]), flush=True)
"""


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL], capture_output=True, text=True, preexec_fn=_limit, check=False
    )
    found = {what: (error, size) for what, error, size in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, f"after {list(found)[-1:]}: {done.stderr[-2000:]}"
    return found


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_manifests_end_in_one_line_or_are_read_as_they_stand(what: str, read: dict[str, Any]) -> None:
    _, words = HOSTILE[what]
    error, size = read[what]
    if not words:
        assert error is None
        # No template made more of itself than the file has.
        assert size < 2 * len(HOSTILE[what][0]) + 10_000
    else:
        assert words in error
        assert error.startswith("shop.yaml: ")
        assert error.isprintable()
        assert len(error) < 600
