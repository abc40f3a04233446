"""What all steps of a sync share: what was asked for, and with which client and warehouse it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform
from platform_assets.http.client import ApiClient
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.source_account import Source


@dataclass(frozen=True)
class Selection:
    """What to sync.

    Args:
        resources: names of resources of one platform.
        partitions: only these partitions of the child resources; None for all.
        parents: only these parents (by key) of the child resources; None for all.
        full_refresh: ignore cursors and known rows, so that everything is read and loaded again.
        left: what the rounds of this sync before have left, resource -> key of a parent, "" for a resource without
            one -> where its read was left, None if it has not begun. `left` itself is None in the first round.
    """

    resources: tuple[str, ...]
    partitions: frozenset[str] | None = None
    parents: frozenset[str] | None = None
    full_refresh: bool = False
    left: Mapping[str, Mapping[str, str | None]] | None = None

    def is_continued(self, resource: str, parent: str) -> bool:
        """Whether an earlier round has read a part of it, so that only its rest is to be read."""
        return self.left is not None and self.left.get(resource, {}).get(parent) is not None


@dataclass(frozen=True)
class SyncContext:
    """One round of a sync. Nothing in it changes while the round runs.

    Platform and settings come from the client, so that no step can work with others than the requests did.

    Attributes:
        source: the account whose rows are read; agreed on before the round was planned.
        started: when the round began, in UTC. It is recorded as the time of every successful read, since changes
            made upstream after that moment may have been missed.
    """

    client: ApiClient
    warehouse: Warehouse
    selection: Selection
    source: Source
    started: datetime

    @property
    def platform(self) -> Platform:
        return self.client.platform

    @property
    def settings(self) -> Settings:
        return self.client.settings
