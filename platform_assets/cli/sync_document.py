"""What `platform-assets sync --json` prints; docs/commands.md describes the keys."""

from collections.abc import Mapping
from typing import Any

from platform_assets.cli.summary import Summary
from platform_assets.progress import Phase


def sync_document(summary: Summary, *, ok: bool, phases: Mapping[Phase, float]) -> dict[str, Any]:
    """What the runs did, for `json.dumps`. The phases, in milliseconds exactly, add up to the whole."""
    rounded = {phase.value: round(seconds, 3) for phase, seconds in phases.items()}
    return {
        "ok": ok,
        "seconds": round(sum(rounded.values()), 3),
        "phases": rounded,
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
