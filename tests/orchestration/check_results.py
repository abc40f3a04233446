"""The checks of one asset, evaluated by a run in this process."""

import dagster as dg


def checks(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, key: str
) -> dict[str, dg.AssetCheckEvaluation]:
    platform = key.split("/")[0]
    result = repository.get_job(f"sync_{platform}").execute_in_process(
        instance=instance, asset_selection=[dg.AssetKey(key.split("/"))], raise_on_error=False
    )
    return {found.check_name: found for found in result.get_asset_check_evaluations()}
