"""`dg scaffold defs platform_assets.PlatformComponent NAME [--from FILE]`."""

import re
from pathlib import Path

import click
import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from dagster.components.scaffold.scaffold import ScaffoldRequest
from pydantic import BaseModel, ConfigDict, Field

from platform_assets.components.written import declaration_from, declaration_to_fill_in
from platform_assets.declarations import PlatformAssetsError
from platform_assets.whole_file import write_whole

_PYTHON = """\
import dagster as dg

from platform_assets import PlatformComponent


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> PlatformComponent:
    return PlatformComponent(declaration="{file}")
"""


class ScaffoldParams(BaseModel):
    """Options of the command."""

    model_config = ConfigDict(populate_by_name=True)

    file: str | None = Field(
        default=None,
        alias="from",
        description="A declaration (YAML or Python), or another tool's configuration of the API, which is imported.",
    )


class PlatformScaffolder(dg.Scaffolder[ScaffoldParams]):
    """Writes the declaration, and the `defs.yaml` or `component.py` that names it."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldParams]:
        return ScaffoldParams

    def scaffold(self, request: ScaffoldRequest[ScaffoldParams]) -> None:
        """Write the files. Raises click.ClickException, and writes nothing, if there is no declaration to write."""
        folder = request.target_path.parent if request.append else request.target_path
        target = folder / f"{_snake_case(folder.name)}.yaml"
        try:
            if target.exists():
                raise click.ClickException(f"{target} is there already")
            text, sayings = _declaration(request.params, target.stem)
        except PlatformAssetsError as error:
            _remove_if_empty(folder)
            raise click.ClickException(str(error)) from None
        write_whole(target, text)
        for saying in sayings:
            click.echo(saying)
        if request.scaffold_format == "python":
            (folder / "component.py").write_text(_PYTHON.format(file=target.name), encoding="utf-8")
        else:
            scaffold_component(request, {"declaration": target.name})


def _declaration(params: ScaffoldParams, name: str) -> tuple[str, list[str]]:
    if params.file is None:
        return declaration_to_fill_in(name), []
    return declaration_from(Path(params.file), name)


def _snake_case(name: str) -> str:
    """A name of a folder as a platform's: small letters, digits and single underscores, a letter first."""
    found = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
    return found if found[:1].isalpha() else f"api_{found}".rstrip("_")


def _remove_if_empty(folder: Path) -> None:
    """`dg` has made the folder; without a component in it, the project's definitions would still load."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
