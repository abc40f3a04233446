"""`platform-assets scaffold-dbt`: staging models of a platform, written into a dbt project."""

from pathlib import Path

import typer

from platform_assets.cli.declaring import write_file
from platform_assets.counted import counted
from platform_assets.dbt.program import checkout_dir, project_dir
from platform_assets.dbt.scaffold import missing_macro, staging_files
from platform_assets.declarations import PlatformAssetsError
from platform_assets.platforms import platform_named

_PROJECT_FILE = "dbt_project.yml"


def write_staging(name: str, project: Path | None, *, force: bool) -> None:
    """Write the files and print what to do next.

    Args:
        name: the platform's.
        project: folder of a dbt project; None for the one of this checkout.
        force: overwrite models that are there, which their owner may have changed.

    Raises PlatformAssetsError, before anything is written, if there is no project or a model is there already.
    """
    platform = platform_named(name)
    project = project or checkout_dir()
    if project is None:
        raise PlatformAssetsError("the package's dbt project is not yours to change: name your own by --project")
    if not project.joinpath(_PROJECT_FILE).is_file():
        raise PlatformAssetsError(f"{project} is no dbt project: it has no {_PROJECT_FILE}")
    folder = project / "models" / "staging" / platform.name
    texts = staging_files(platform)
    files = {folder / name: text for name, text in texts.items()}
    present = [path for path in files if path.exists() and path.name != "_sources.yml"]
    if present and not force:
        raise PlatformAssetsError(
            f"{present[0]} is there already, {counted(len(present), 'file')} in all: nothing was written;"
            " --force overwrites them"
        )
    macro = missing_macro(texts, project, project_dir())
    for path, text in [*files.items(), *([macro] if macro else [])]:
        write_file(path, text)
    typer.echo(f"written: {counted(len(files), 'file')} in {folder}")
    if macro:
        typer.echo(f"written: {macro[0]}, a test that the models use")
    if project == checkout_dir():
        typer.echo(f"next: platform-assets sync --platform {platform.name}, which builds them too")
