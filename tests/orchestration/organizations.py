"""The organizations of CI analytics: parents whose children are partitioned by them."""

import dagster as dg

from platform_assets.sandbox import SandboxServer

NAME = "ci_analytics_organization"
ORGANIZATIONS = "ci_analytics/organizations"
PIPELINES = "ci_analytics/organizations_pipelines"


def run(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, *keys: str, **given: object
) -> dg.ExecuteInProcessResult:
    return repository.get_job("sync_ci_analytics").execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
        raise_on_error=False,
        **given,  # pyright: ignore[reportArgumentType] -- keywords of execute_in_process
    )


def remove_organization(server: SandboxServer, slug: str) -> None:
    tables = server.backend.tables["ci_analytics"]
    with server.backend.lock:
        tables["organizations"] = [one for one in tables["organizations"] if one["slug"] != slug]
