"""Config of a run that loads."""

import dagster as dg
from pydantic import Field


class SyncConfig(dg.Config):
    """Config of an op that loads: from the launchpad, the sensors, the schedules or the command line."""

    full_refresh: bool = Field(default=False, description="Ignore cursors: read and load everything again.")
    partitions: list[str] = Field(default=[], description="Only these partitions of partitioned assets.")
    parents: list[str] = Field(default=[], description="Only these parents, e.g. deal ids, of child assets.")
