"""The dbt project for Dagster: its manifest, its resource, and the versions of its models."""

from hashlib import blake2b

from platform_assets import progress
from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.dbt.program import executable, is_outdated, manifest_lock, project_dir, terminated_on_cancel
from platform_assets.patches.dbt_command import DbtCommand
from platform_assets.patches.dbt_imports import DbtProject
from platform_assets.platforms import all_platforms
from platform_assets.progress import Phase


def dbt_project() -> DbtProject:
    """The dbt project with an up-to-date manifest: a fresh clone, or an edited model, needs no manual step."""
    project = DbtProject(project_dir())
    # Parse under the variables of a build: with others, dbt would parse every file again at the first build.
    lags = environment(lag_variables(all_platforms()))
    with manifest_lock(), lags:
        if is_outdated(project.manifest_path):
            parsing = dbt_cli(project).cli(["parse", "--quiet"], target_path=project.target_path)
            with progress.current().phase(Phase.MODELS), terminated_on_cancel(parsing.process):
                parsing.wait()
    return project


def dbt_cli(project: DbtProject) -> DbtCommand:
    """Dagster's resource for the dbt of this Python environment."""
    return DbtCommand(project_dir=str(project.project_dir), dbt_executable=executable())


def model_versions() -> dict[str, str]:
    """Name of each model -> digest of its SQL, of all macros and of dbt_project.yml, as these files are now.

    By content, not by time: a fresh clone or a new image has new times and the same models.
    """
    macros = sorted(project_dir().joinpath("macros").rglob("*.sql"))
    shared = [path.read_bytes() for path in (project_dir() / "dbt_project.yml", *macros)]
    models = project_dir().joinpath("models").rglob("*.sql")
    return {path.stem: blake2b(b"\0".join([path.read_bytes(), *shared]), digest_size=8).hexdigest() for path in models}
