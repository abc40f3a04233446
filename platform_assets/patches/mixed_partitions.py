"""One asset job over assets of different partitionings.

Dagster refuses such a job unless it is its own implicit one (dagster-io/dagster#10404, open; the flag that
lifts the refusal came with #23290 and is not public). This file is the only place that uses it; it can go when
`define_asset_job` takes such a selection (see tests/patches/test_mixed_partitions.py).
"""

from dagster import AssetSelection, JobDefinition
from dagster._core.definitions.assets.job.asset_job import build_asset_job, get_asset_graph_for_job
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


class MixedPartitionsJob(UnresolvedAssetJobDefinition):
    """An asset job that is run without a partition: its partitioned assets then load every known parent."""

    def resolve(self, asset_graph, default_executor_def=None, resource_defs=None) -> JobDefinition:  # type: ignore[no-untyped-def] -- upstream's types are private
        """As upstream, with the flag; and without a partitioning of the job's own where all assets agree on one."""
        job = build_asset_job(
            self.name,
            asset_graph=get_asset_graph_for_job(asset_graph, self.selection, allow_different_partitions_defs=True),
            allow_different_partitions_defs=True,
            description=self.description,
            executor_def=self.executor_def or default_executor_def,
            resource_defs=resource_defs,
        )
        return job._copy(partitions_def=None)


def mixed_partitions_job(name: str, selection: AssetSelection, description: str) -> MixedPartitionsJob:
    """A job over `selection`, whatever its assets' partitionings."""
    return MixedPartitionsJob(name=name, selection=selection, description=description)
