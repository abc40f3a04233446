"""`dagster-embedded-elt` re-exports dagster-dlt; with it, and the older Dagster it pins, the same code runs.

For `make test-embedded-elt`; the main environment does not have the package.
"""

import dagster as dg
import pytest

from platform_assets.definitions import defs
from platform_assets.orchestration.dlt_resource import PlatformDlt
from platform_assets.sandbox import SandboxServer
from tests.settings import PointAt

pytestmark = pytest.mark.package


def test_our_resource_is_the_embedded_elt_resource() -> None:
    from dagster_embedded_elt.dlt import DagsterDltResource  # pyright: ignore[reportMissingImports] -- see the module's docstring

    assert issubclass(PlatformDlt, DagsterDltResource)


def test_a_run_lands(point_at: PointAt) -> None:
    with SandboxServer() as server, dg.DagsterInstance.ephemeral() as instance:
        point_at(server)
        job = defs().get_repository_def().get_job("sync_load_testing")
        keys = [dg.AssetKey(["load_testing", name]) for name in ("organizations", "projects", "tests")]
        assert job.execute_in_process(instance=instance, asset_selection=keys).success
