"""The dbt models as assets below the tables that dlt loads."""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from filelock import FileLock

from platform_assets.warehouse.location import duckdb_file, exclusive

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"


def dbt_project() -> DbtProject:
    """The dbt project with an up-to-date manifest: a fresh clone, or an edited model, needs no manual step."""
    project = DbtProject(PROJECT_DIR)
    PROJECT_DIR.joinpath("target").mkdir(exist_ok=True)
    with FileLock(PROJECT_DIR / "target" / "manifest.lock", timeout=120):
        if _is_outdated(project.manifest_path):
            dbt_cli(project).cli(["parse", "--quiet"], target_path=project.target_path).wait()
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
        path = duckdb_file()
        if path is not None:
            os.environ["PLATFORM_ASSETS_DUCKDB"] = str(path)
        # DuckDB lets one process write: dbt waits its turn like every load.
        with exclusive(for_child=True):
            # Tests between two models run when both are built: the other one may not be there yet.
            yield from dbt.cli(["build", "--indirect-selection", "cautious"], context=context).stream()

    return models


def models_sensor() -> dg.AutomationConditionSensorDefinition:
    """Builds the dbt models whose tables were loaded, by the condition on each."""
    return dg.AutomationConditionSensorDefinition(
        "models_follow_tables",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=60,
    )
