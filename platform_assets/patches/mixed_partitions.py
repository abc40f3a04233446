"""One asset job over assets of different partitionings.

Dagster refuses such a job unless it is its own implicit one (dagster-io/dagster#10404, open). The flag that lifts the
refusal came with #23290 and is not public. The alternative, a job per partitioning, would leave `sync_<platform>`
unable to load parents and then their children in one run. It can go when
tests/patches/test_mixed_partitions.py::test_upstream_still_refuses fails.
"""

from dagster import AssetSelection, ExecutorDefinition, JobDefinition
from dagster._core.definitions.assets.job.asset_job import build_asset_job, get_asset_graph_for_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


class MixedPartitionsJob(UnresolvedAssetJobDefinition):
    """An asset job that runs without a partition: its partitioned assets then load every known parent."""

    def resolve(self, asset_graph, default_executor_def=None, resource_defs=None) -> JobDefinition:  # type: ignore[no-untyped-def] -- upstream's types are private
        """As upstream, with the flag, and without partitions of the job's own even if all its assets share some."""
        job = build_asset_job(
            self.name,
            asset_graph=get_asset_graph_for_job(asset_graph, self.selection, allow_different_partitions_defs=True),
            allow_different_partitions_defs=True,
            description=self.description,
            executor_def=self.executor_def or default_executor_def,
            resource_defs=resource_defs,
        )
        return job._copy(partitions_def=None)


def mixed_partitions_job(
    name: str, selection: AssetSelection, description: str, executor_def: ExecutorDefinition | None = None
) -> MixedPartitionsJob:
    """A job over `selection`, whatever the partitionings of its assets; by default with the project's executor."""
    return MixedPartitionsJob(name=name, selection=selection, description=description, executor_def=executor_def)
