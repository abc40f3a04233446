"""What `platform-assets sync --json` prints; docs/commands.md describes the keys."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from platform_assets.cli.summary import Summary


def sync_document(summary: Summary, *, ok: bool, seconds: float) -> dict[str, Any]:
    """What the runs did, for `json.dumps`."""
    return {
        "ok": ok,
        "seconds": round(seconds, 3),
        "assets": [
            {
                "asset": name,
                "landed": asset.landed,
                "rows": asset.rows,
                "rows_loaded": asset.loaded,
                "requests": asset.requests,
            }
            for name, asset in summary.assets.items()
        ],
        "models": summary.models,
        "failures": list(dict.fromkeys(summary.failures)),
    }


@contextmanager
def stdout_to_stderr(wanted: bool) -> Iterator[None]:
    """If wanted, send to stderr what this process and those that it starts (dbt) print to stdout."""
    if not wanted:
        yield
        return
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(own, 1)
        os.close(own)
