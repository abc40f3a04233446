"""What `platform-assets sync` prints at its end: tables of what the runs did, what failed, and what to do about it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.console import Console

from platform_assets.cli.table import Column, print_table
from platform_assets.dbt import MODEL_SCHEMAS
from platform_assets.declarations import Platform
from platform_assets.orchestration.failures import NEXT_STEP


@dataclass
class AssetSummary:
    """One table: `rows` in it (None before it landed), rows `loaded` that were new or changed, requests sent.

    Of a table that failed, `loaded` is of the partitions that landed, and `requests` is not known.

    `unserved` is why the contract in use does not serve it; the table stays as it is.
    """

    rows: int | None = None
    loaded: int = 0
    requests: int = 0
    landed: bool = False
    unserved: str | None = None


@dataclass
class Summary:
    """What one command's runs did, read from their events.

    Attributes:
        assets: the requested tables, by `<platform>/<resource>`.
        seconds: platform -> time its ops took.
        models: how many dbt models were built.
        failures: a line for each thing that failed, which begins with its name and why.
        next_steps: what to do about the failures.
    """

    assets: dict[str, AssetSummary]
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    models: int = 0
    failures: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)

    @property
    def landed(self) -> set[dg.AssetKey]:
        """Keys of the tables that were loaded without a failure."""
        return {dg.AssetKey(name.split("/")) for name, asset in self.assets.items() if asset.landed}

    def record(self, events: Iterable[dg.DagsterEvent], seconds: Mapping[str, float]) -> None:
        """Add the events of one run, and how long its steps took, failed ones too."""
        for step, spent in seconds.items():
            self.seconds[step.split("__")[0]] += spent
        for event in events:
            if event.is_step_materialization:
                self._record_materialization(event.asset_key, event.step_materialization_data.materialization)
            if event.is_step_failure:
                for line in _failure_lines(event):
                    (self.next_steps if line.startswith(NEXT_STEP) else self.failures).append(line)

    def _record_materialization(self, key: dg.AssetKey | None, materialization: dg.AssetMaterialization) -> None:
        asset = self.assets.get(key.to_user_string()) if key else None
        if asset is None:
            self.models += key is not None and key.path[0] in MODEL_SCHEMAS
            return
        metadata: Mapping[str, Any] = {name: entry.value for name, entry in materialization.metadata.items()}
        asset.rows = metadata.get("dagster/row_count", metadata.get("rows_in_table", asset.rows))
        if materialization.partition is not None:
            # What landed of a table of which other partitions failed; the whole table's own event comes last.
            asset.loaded += metadata.get("rows_loaded", 0)
        else:
            asset.landed = True
            asset.loaded = metadata.get("rows_loaded", 0)
            asset.requests = metadata.get("requests", 0)
            asset.unserved = metadata.get("not_served")


def print_summary(console: Console, summary: Summary, platforms: Sequence[Platform]) -> None:
    """Print a table of the assets, a table of the platforms, what is not served, and the failures."""
    _print_assets(console, summary)
    _print_platforms(console, summary, platforms)
    for name, asset in summary.assets.items():
        if asset.unserved:
            line = f"{name} is not served by the contract in use, its table stays as it is: {asset.unserved}"
            console.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    for failure in dict.fromkeys(summary.failures):
        console.print(f"failed: {failure}", style="red", markup=False, highlight=False, soft_wrap=True)
    for step in dict.fromkeys(summary.next_steps):
        console.print(step, markup=False, highlight=False, soft_wrap=True)


def _failure_lines(event: dg.DagsterEvent) -> list[str]:
    """Why a step failed: the lines of our own description, else the message of the first cause."""
    data = event.step_failure_data
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = (data.user_failure_data.description if data.user_failure_data else None) or (
        f"{event.step_key}: {error.message}" if error else str(event.step_key)
    )
    return [line for line in text.splitlines() if line.strip()]


def _print_assets(console: Console, summary: Summary) -> None:
    columns: list[Column[tuple[str, AssetSummary]]] = [
        Column("asset", lambda row: row[0]),
        Column("rows", lambda row: str(row[1].rows) if row[1].landed else "failed", right=True),
        Column("new or changed", lambda row: str(row[1].loaded), right=True),
        Column("requests", lambda row: str(row[1].requests) if row[1].landed else "-", rank=1, right=True),
    ]
    print_table(console, columns, list(summary.assets.items()))
    console.print()


def _print_platforms(console: Console, summary: Summary, platforms: Sequence[Platform]) -> None:
    def total(platform: Platform, amount: Callable[[AssetSummary], int]) -> str:
        return str(sum(amount(one) for name, one in summary.assets.items() if name.startswith(f"{platform.name}/")))

    columns: list[Column[Platform]] = [
        Column("platform", lambda platform: platform.name),
        Column("assets", lambda platform: total(platform, lambda asset: asset.landed), right=True),
        Column("rows", lambda platform: total(platform, lambda asset: asset.rows or 0), right=True),
        Column("new or changed", lambda platform: total(platform, lambda asset: asset.loaded), right=True),
        Column("requests", lambda platform: total(platform, lambda asset: asset.requests), rank=1, right=True),
        Column("seconds", lambda platform: f"{summary.seconds[platform.name]:.1f}", right=True),
    ]
    print_table(console, columns, platforms)
    console.print()
