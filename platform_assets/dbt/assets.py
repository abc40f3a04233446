"""The dbt models as assets below the tables that dlt loads."""

import json
import logging
import shutil
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg

from platform_assets.cancellation import Cancelled, current
from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.dbt.build_result import BuildResult
from platform_assets.dbt.column_lineage import column_lineage, declared_tables
from platform_assets.dbt.existing import existing_relations, left_out_tests
from platform_assets.dbt.program import GRACE_SECONDS, PARTIAL_PARSE, project_dir, terminated_on_cancel
from platform_assets.dbt.project import model_versions
from platform_assets.dbt.stale_models import build_metadata
from platform_assets.log_fields import log_fields
from platform_assets.orchestration.interrupts import canceled
from platform_assets.patches.asset_metadata import hide_objects_of_models
from platform_assets.patches.dbt_imports import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)
from platform_assets.platforms import all_platforms
from platform_assets.progress import Phase, timed
from platform_assets.warehouse.location import dbt_variables, exclusive_for_child

# How long the files of a failed build stay for whoever investigates it.
_KEEP_TARGETS_SECONDS = 7 * 86400


class ModelTranslator(DagsterDbtTranslator):
    """Groups a model with its platform: the folder below `staging` or `marts`."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        folders = dbt_resource_props["fqn"][1:-1]
        return folders[1] if len(folders) > 1 else super().get_group_name(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:data-platform"]


def dbt_models(project: DbtProject) -> dg.AssetsDefinition:
    """All models and tests as one asset definition; a run builds the selected ones."""
    hide_objects_of_models()

    @dbt_assets(
        manifest=project.manifest_path, project=project, name="dbt_models", dagster_dbt_translator=ModelTranslator()
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        yield from timed(_build(context, dbt, project), Phase.MODELS)

    return models


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, project: DbtProject) -> Generator[Any, None, None]:
    """Run `dbt build` for the selected models; Dagster's events of what it built and tested."""
    lags = lag_variables(all_platforms())
    # The lock that loads take as well: DuckDB lets one process write, and two builds replace the same tables.
    try:
        current().check()
        # Unit tests are for those who change models, and need every table above a model to exist.
        command = ["build", "--exclude-resource-type", "unit_test", *_tests_left_out(context, project)]
        with exclusive_for_child("models"), environment({**dbt_variables(), **lags}):
            _delete_old_targets()
            read_at, versions = time.time(), model_versions()
            invocation = dbt.cli(command, context=context)
            invocation.termination_timeout_seconds = GRACE_SECONDS
            with terminated_on_cancel(invocation.process):
                for event in _events(invocation, context.run_id):
                    yield _described(event, invocation, read_at, versions) if isinstance(event, dg.Output) else event
        current().check()
    except Cancelled:
        raise canceled(context) from None
    except Exception:
        if current().cancelled:
            raise canceled(context) from None  # dbt reports that it was interrupted
        raise
    _keep_parsed(invocation.target_path)
    shutil.rmtree(invocation.target_path, ignore_errors=True)


def _tests_left_out(context: dg.AssetExecutionContext, project: DbtProject) -> list[str]:
    """dbt's option that leaves out tests which do not belong to a run of some models only.

    By itself dbt runs each test that needs one of them, also those of other models, and where another is missing.
    """
    if not context.is_subset:
        return []
    built = {(key.path[-2], key.path[-1]) for key in context.selected_asset_keys}
    left_out = left_out_tests(json.loads(project.manifest_path.read_bytes()), built, existing_relations())
    # One word: dagster-dbt takes only the first after the option.
    return ["--exclude", " ".join(left_out)] if left_out else []


def _events(invocation: DbtCliInvocation, run_id: str) -> Iterator[Any]:
    """Dagster's events of a build, which is followed meanwhile. Raises dg.Failure with what failed and why."""
    result = BuildResult(invocation.manifest, invocation.target_path)
    try:
        for message in invocation.stream_raw_events():
            result.follow(message.raw_event)
            yield from message.to_default_asset_events(
                manifest=invocation.manifest,
                dagster_dbt_translator=invocation.dagster_dbt_translator,
                context=invocation.context,
                target_path=invocation.target_path,
                project=invocation.project,
            )
    except DagsterDbtCliRuntimeError:
        raise result.failure() from None
    finally:
        if not current().cancelled:
            with log_fields(run_id=run_id):
                result.log_warnings()


def _described(
    event: dg.Output[Any], invocation: DbtCliInvocation, read_at: float, versions: Mapping[str, str]
) -> dg.Output[Any]:
    """The event of a built model, with what `stale_models` has to know of the build, and with column lineage."""
    node = invocation.manifest["nodes"][event.metadata["unique_id"].value]
    recorded = build_metadata(node["name"], read_at, versions)
    return event.with_metadata({**event.metadata, **recorded, **_lineage_metadata(node, invocation)})


def _lineage_metadata(node: Mapping[str, Any], invocation: DbtCliInvocation) -> dict[str, Any]:
    """The columns that each column of the model is computed from; empty if its SQL cannot be read."""
    compiled = invocation.target_path / "compiled" / node["package_name"] / node["original_file_path"]
    dialect = invocation.manifest["metadata"]["adapter_type"]
    try:
        lineage = column_lineage(compiled.read_text(), node["columns"], declared_tables(invocation.manifest), dialect)
    except Exception as error:  # The models are built, whatever keeps their lineage from being drawn.
        logging.getLogger(__name__).warning("no column lineage for %s: %s", node["name"], error)
        return {}
    by_column = {
        name: [dg.TableColumnDep(dg.AssetKey([origin.schema, origin.table]), origin.name) for origin in origins]
        for name, origins in lineage.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(by_column)}


def _keep_parsed(built: Path) -> None:
    """Leave what a build has parsed for the next: dbt parses every file again if the warehouse has another path."""
    with suppress(OSError):
        (built / PARTIAL_PARSE.name).replace(project_dir() / PARTIAL_PARSE)


def _delete_old_targets() -> None:
    """Delete what failed builds left in dbt's target folder longer than `_KEEP_TARGETS_SECONDS` ago."""
    for folder in project_dir().joinpath("target").glob("dbt_models-*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _KEEP_TARGETS_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
