"""The dbt project for Dagster: its manifest, its resource, and the versions of its models."""

from hashlib import blake2b

from platform_assets.dbt.manifest import current_manifest
from platform_assets.dbt.program import PARSED, executable, project_dir
from platform_assets.patches.dbt_command import DbtCommand
from platform_assets.patches.dbt_imports import DbtProject


def dbt_project() -> DbtProject:
    """The dbt project with an up-to-date manifest. Raises SettingsError if dbt cannot parse it."""
    current_manifest()
    return DbtProject(project_dir(), target_path=PARSED.parent)


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
