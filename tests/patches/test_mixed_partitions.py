"""The job over different partitionings, and when patches/mixed_partitions.py and partitioned_inputs.py can go."""

import dagster as dg
import pytest

from platform_assets.patches import partitioned_inputs
from platform_assets.patches.mixed_partitions import mixed_partitions_job

ONE = dg.DynamicPartitionsDefinition(name="one")
OTHER = dg.StaticPartitionsDefinition(["x"])


@dg.asset(partitions_def=ONE)
def first() -> None: ...


@dg.asset(partitions_def=OTHER)
def second() -> None: ...


def test_a_job_over_different_partitionings_runs_without_own_partitions() -> None:
    job = mixed_partitions_job("both", dg.AssetSelection.all(), "")
    repository = dg.Definitions(assets=[first, second], jobs=[job]).get_repository_def()
    assert repository.get_job("both").partitions_def is None


def test_a_job_over_one_partitioning_has_no_own_partitions_either() -> None:
    job = mixed_partitions_job("single", dg.AssetSelection.assets(first), "")
    repository = dg.Definitions(assets=[first, second], jobs=[job]).get_repository_def()
    assert repository.get_job("single").partitions_def is None


def test_upstream_still_refuses() -> None:
    """When this fails, dagster-io/dagster#10404 is fixed: use `define_asset_job` and delete the file."""
    job = dg.define_asset_job("both", selection=dg.AssetSelection.all())
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="Failed to resolve asset job"):
        dg.Definitions(assets=[first, second], jobs=[job]).get_repository_def().get_job("both")


@dg.asset(partitions_def=OTHER, deps=[dg.AssetDep(first, partition_mapping=dg.AllPartitionMapping())])
def below() -> None: ...


def run_without_a_partition() -> bool:
    job = mixed_partitions_job("both", dg.AssetSelection.all(), "")
    repository = dg.Definitions(assets=[first, below], jobs=[job]).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        # Versions are looked up of what was materialised.
        instance.report_runless_asset_event(dg.AssetMaterialization("first"))
        return repository.get_job("both").execute_in_process(instance=instance, raise_on_error=False).success


def test_below_partitioned_parents_a_run_needs_no_partition() -> None:
    partitioned_inputs.allow_partitioned_inputs()
    assert run_without_a_partition()


def test_upstream_still_wants_a_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails, Dagster takes such inputs as a whole: delete patches/partitioned_inputs.py."""
    upstream = partitioned_inputs.upstream
    monkeypatch.setattr(partitioned_inputs.StepExecutionContext, "has_asset_partitions_for_input", upstream)
    assert not run_without_a_partition()
