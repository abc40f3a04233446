"""What `platform-assets status` says about one asset, from what the warehouse recorded of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from platform_assets.configuration.freshness import late_after
from platform_assets.counted import counted
from platform_assets.declarations import Platform, Resource
from platform_assets.declarations.ancestry import parents_of
from platform_assets.declarations.errors import without_platform
from platform_assets.warehouse.queries import Reader, Recorded, recorded, recorded_source
from platform_assets.warehouse.source_account import Source

# Parents that are named.
_NAMED = 3


class State(StrEnum):
    """What is to be said of an asset first. In the order of what a person would act on."""

    FAILED = "failed"
    STALE = "stale"
    WAITING = "waiting"
    NEVER = "never loaded"
    UNSERVED = "not served"
    OK = "ok"


@dataclass(frozen=True, kw_only=True)
class AssetStatus:
    """One asset.

    Attributes:
        rows: in its table, soft-deleted ones included; None if it was never loaded.
        last_load: when it, or any parent of it, was last loaded.
        newest_record: newest value of its cursor that was read, which says how lively upstream is, not whether we are
            late; None without a cursor.
        allowed_lag: age of the last load from which on it is stale.
        reads: how many parents it was tried for; 1 without parents.
        failed: parent (empty without parents) -> why its last attempt failed.
        skipped: how many parents the server refused.
        waiting_for: the asset with its parents, if that was never loaded.
        unserved: why the contract that the platform was last loaded by does not serve it; None if it does.
        unread_before: parent (empty without parents) -> upper bound (a time, or an id) of what an interrupted first
            read has left; the next sync goes on with it.
    """

    asset: str
    state: State
    rows: int | None
    last_load: datetime | None
    newest_record: datetime | None
    allowed_lag: timedelta
    reads: int
    failed: Mapping[str, str]
    skipped: int
    waiting_for: str | None
    unserved: str | None
    unread_before: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """As JSON; docs/commands.md describes the keys."""
        return {
            "asset": self.asset,
            "state": str(self.state),
            "rows": self.rows,
            "last_load": _iso(self.last_load),
            "newest_record": _iso(self.newest_record),
            "allowed_lag_seconds": self.allowed_lag.total_seconds(),
            "reads": self.reads,
            "failed": [{"parent": parent or None, "error": error} for parent, error in self.failed.items()],
            "skipped": self.skipped,
            "waiting_for": self.waiting_for,
            "unserved": self.unserved,
            "unread": [{"parent": parent or None, "before": bound} for parent, bound in self.unread_before.items()],
        }

    @property
    def unread(self) -> str:
        """What an interrupted first read has left, in one line; empty if nothing."""
        if "" in self.unread_before:
            return f"what is older than {self.unread_before['']}"
        names = ", ".join(list(self.unread_before)[:_NAMED]) + (", …" if len(self.unread_before) > _NAMED else "")
        return f"older rows of {names}" if self.unread_before else ""

    @property
    def failure(self) -> str:
        """Why it failed, in one line: the error, or the parents that failed."""
        if "" in self.failed:
            return self.failed[""]
        names = ", ".join(list(self.failed)[:_NAMED]) + (", …" if len(self.failed) > _NAMED else "")
        reason = without_platform(self.asset.partition("/")[0], next(iter(self.failed.values()), ""))
        return f"{len(self.failed)} of {counted(self.reads, 'parent')} failed: {names}: {reason}"


def read_statuses(reader: Reader, platform: Platform, now: datetime) -> list[AssetStatus]:
    """The status of a platform's assets. `reader` is left in its schema. Raises WarehouseError if it cannot be read."""
    reader.use(platform.name)
    found = recorded(reader, [resource.name for resource in platform.resources])
    return asset_statuses(platform, found, now, recorded_source(reader))


def asset_statuses(
    platform: Platform, found: Mapping[str, Recorded], now: datetime, source: Source | None = None
) -> list[AssetStatus]:
    """The status of each asset of a platform, in the order of its declaration.

    Args:
        found: what is recorded of each resource.
        source: whose data the tables are, and by which contract they were last loaded.
    """
    loaded = {name for name, recorded in found.items() if recorded.last_load is not None}
    contract = platform.contracts.get(source.contract) if source else None
    unserved = contract.unserved if contract else {}
    return [
        _status(platform, resource, found[resource.name], loaded, now, unserved.get(resource.name))
        for resource in platform.resources
    ]


def _status(
    platform: Platform,
    resource: Resource,
    recorded: Recorded,
    loaded: set[str],
    now: datetime,
    unserved: str | None,
) -> AssetStatus:
    reads, last_load = recorded.reads, recorded.last_load
    missing = next((name for name in parents_of(platform, resource) if name not in loaded), None)
    lag = late_after(platform, resource)
    if unserved is not None:
        state = State.UNSERVED
    elif reads.failed:
        state = State.FAILED
    elif last_load is None:
        state = State.WAITING if missing else State.NEVER
    else:
        state = State.STALE if now - last_load > lag else State.OK
    return AssetStatus(
        asset=f"{platform.name}/{resource.name}",
        state=state,
        rows=recorded.rows if last_load else None,
        last_load=last_load,
        newest_record=reads.newest_cursor,
        allowed_lag=lag,
        reads=reads.reads,
        failed=reads.failed,
        skipped=reads.skipped,
        waiting_for=f"{platform.name}/{missing}" if state is State.WAITING else None,
        unserved=unserved,
        unread_before=reads.unread_before,
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
