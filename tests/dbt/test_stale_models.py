"""A model is built again when a table above it changed, and not for a load that found nothing new."""

import dagster as dg

from platform_assets.dbt.stale_models import stale_models
from platform_assets.definitions import defs
from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt

MODELS = {
    dg.AssetKey(["staging", "stg_ci_analytics__builds"]),
    dg.AssetKey(["marts", "ci_analytics_build_outcomes_daily"]),
}


def test_models_are_stale_until_built_and_again_after_a_change(point_at: PointAt) -> None:
    repository = defs().get_repository_def()
    job = repository.get_job("sync_ci_analytics")
    builds = [dg.AssetKey(["ci_analytics", "builds"])]
    with SandboxServer() as server, dg.DagsterInstance.ephemeral() as instance:
        point_at(server)
        assert stale_models(instance, repository, MODELS, edited_at=0) == MODELS
        assert job.execute_in_process(instance=instance, asset_selection=[*builds, *MODELS]).success
        assert stale_models(instance, repository, MODELS, edited_at=0) == set()
        assert job.execute_in_process(instance=instance, asset_selection=builds).success
        assert stale_models(instance, repository, MODELS, edited_at=0) == set()
        server.backend.advance(hours=3)
        assert job.execute_in_process(instance=instance, asset_selection=builds).success
        assert stale_models(instance, repository, MODELS, edited_at=0) == MODELS
        assert stale_models(instance, repository, MODELS, edited_at=4_000_000_000) == MODELS
