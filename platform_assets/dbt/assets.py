"""The dbt models as assets below the tables that dlt loads."""

import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets
from filelock import FileLock
from sqlglot.errors import SqlglotError

from platform_assets.cancellation import Cancelled, current
from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.dbt.column_lineage import column_lineage, declared_tables
from platform_assets.orchestration.interrupts import canceled
from platform_assets.platforms import all_platforms
from platform_assets.warehouse.location import dbt_variables, exclusive_for_child

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"
_KEEP_TARGETS = 7 * 86400
"""Seconds that a failed build's files stay."""
_GRACE = 4.0
"""Seconds that dbt has to end its models when it is interrupted; the database undoes what it was killed in."""


def dbt_project() -> DbtProject:
    """The dbt project with an up-to-date manifest: a fresh clone, or an edited model, needs no manual step."""
    project = DbtProject(PROJECT_DIR)
    PROJECT_DIR.joinpath("target").mkdir(exist_ok=True)
    # Under the variables of a build, so that it need not read the files again.
    lags = environment(lag_variables(all_platforms()))
    with FileLock(PROJECT_DIR / "target" / "manifest.lock", timeout=120), lags:
        if _is_outdated(project.manifest_path):
            parsing = dbt_cli(project).cli(["parse", "--quiet"], target_path=project.target_path)
            with _ended_early(parsing.process):
                parsing.wait()
    return project


def dbt_cli(project: DbtProject) -> DbtCliResource:
    """The dbt of this environment, also where its `bin` folder is not on the PATH."""
    beside_python = Path(sys.executable).with_name("dbt")
    executable = str(beside_python) if beside_python.exists() else "dbt"
    return DbtCliResource(project_dir=project, dbt_executable=executable)


def _is_outdated(manifest: Path) -> bool:
    return not manifest.exists() or manifest.stat().st_mtime < edited_at()


def edited_at() -> float:
    """POSIX timestamp of the last edit of a model, a macro or the project file."""
    sources = [PROJECT_DIR / "dbt_project.yml", *PROJECT_DIR.glob("m[ao]*/**/*")]
    return max(path.stat().st_mtime for path in sources if path.is_file())


class ModelTranslator(DagsterDbtTranslator):
    """Groups a model with its platform: the folder below `staging` or `marts`."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        folders = dbt_resource_props["fqn"][1:-1]
        return folders[1] if len(folders) > 1 else super().get_group_name(dbt_resource_props)

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> dg.AutomationCondition[Any]:
        """After anything it reads changed, once all of it is there; of partitions one is enough.

        Plain `eager` would wait for ever for a partition that was never loaded.
        """
        there = ~dg.AutomationCondition.missing() | dg.AutomationCondition.will_be_requested()
        eager = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
        return eager & dg.AutomationCondition.all_deps_match(there)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:data-platform"]


def dbt_models(project: DbtProject) -> dg.AssetsDefinition:
    """All models and tests as one asset definition; a run builds the selected ones."""

    @dbt_assets(
        manifest=project.manifest_path, project=project, name="dbt_models", dagster_dbt_translator=ModelTranslator()
    )
    def models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        # Tests between two models run when both are built: the other one may not be there yet.
        command = ["build", "--indirect-selection", "cautious"]
        lags = lag_variables(all_platforms())
        # dbt waits its turn like every load: DuckDB lets one process write, and two builds replace the same tables.
        try:
            current().check()
            with exclusive_for_child("models"), environment({**dbt_variables(), **lags}):
                _forget_old_targets(project.target_path)
                invocation = dbt.cli(command, context=context)
                invocation.termination_timeout_seconds = _GRACE
                with _ended_early(invocation.process):
                    for event in invocation.stream():
                        yield _with_lineage(event, invocation) if isinstance(event, dg.Output) else event
            current().check()
        except Cancelled:
            raise canceled(context) from None
        except Exception:
            if current().cancelled:
                raise canceled(context) from None  # dbt says that it was interrupted
            raise
        shutil.rmtree(invocation.target_path, ignore_errors=True)

    return models


@contextmanager
def _ended_early(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the program when the run is told to end, and when it is left before its end; kill it where it lingers."""

    def end() -> None:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

    with current().calling(end):
        try:
            yield
        finally:
            end()


def _with_lineage(event: dg.Output[Any], invocation: DbtCliInvocation) -> dg.Output[Any]:
    """The event of a built model, with the columns that each of its columns is made of."""
    node = invocation.manifest["nodes"][event.metadata["unique_id"].value]
    compiled = invocation.target_path / "compiled" / node["package_name"] / node["original_file_path"]
    dialect = invocation.manifest["metadata"]["adapter_type"]
    try:
        found = column_lineage(compiled.read_text(), node["columns"], declared_tables(invocation.manifest), dialect)
    except (OSError, SqlglotError) as error:
        logging.getLogger(__name__).warning("no column lineage for %s: %s", node["name"], error)
        return event
    by_column = {
        name: [dg.TableColumnDep(dg.AssetKey([origin.schema, origin.table]), origin.name) for origin in origins]
        for name, origins in found.items()
    }
    return event.with_metadata({**event.metadata, "dagster/column_lineage": dg.TableColumnLineage(by_column)})


def _forget_old_targets(target: Path) -> None:
    """Remove what runs that failed left in dbt's target folder long ago; until then it can be looked into."""
    for folder in target.glob("dbt_models-*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _KEEP_TARGETS:
                shutil.rmtree(folder, ignore_errors=True)


def models_sensor() -> dg.AutomationConditionSensorDefinition:
    """Builds the dbt models whose tables were loaded, by the condition on each."""
    return dg.AutomationConditionSensorDefinition(
        "models_follow_tables",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=60,
    )
