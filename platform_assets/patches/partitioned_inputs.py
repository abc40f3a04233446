"""Runs without a partition of partitioned assets whose parents are partitioned too.

Before a step Dagster looks up the versions of its inputs, and for a partitioned input it asks for the run's partition,
which a run of `sync_<platform>` does not have: the step fails. Here such an input counts as a whole, as it does for an
asset without partitions. It can go when tests/patches/test_mixed_partitions.py::test_upstream_still_wants_a_partition
fails.
"""

from typing import Any

from dagster._core.execution.context.system import StepExecutionContext

upstream: Any = StepExecutionContext.has_asset_partitions_for_input


def _has_partitions(self: Any, input_name: str) -> bool:
    if self.entity_partitions_def is not None and not self.has_partitions:
        return False
    return upstream(self, input_name)


def allow_partitioned_inputs() -> None:
    """From here on, in this process, such runs work."""
    setattr(StepExecutionContext, "has_asset_partitions_for_input", _has_partitions)  # noqa: B010 -- not public
