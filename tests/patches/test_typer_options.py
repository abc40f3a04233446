"""Options are read without pydantic where no value needs it, and mean what they meant; and when the patch can go."""

import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
import typer.core
from typer.testing import CliRunner

from platform_assets.patches.typer_options import read_options_on_demand
from tests.cli.command import command

PRINTED = "\nimport sys; print('pydantic' in sys.modules, file=sys.stderr)"
# An option that is not a flag, and is not given.
OPTION = """
import typer
from typing import Annotated
def run(name: Annotated[str | None, typer.Option()] = None) -> None: ...
app = typer.Typer()
app.command()(run)
app([], standalone_mode=False)
"""


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def options(
    name: Annotated[str, typer.Argument()],
    numbers: Annotated[list[str] | None, typer.Option("--number")] = None,
    port: Annotated[int, typer.Option(min=1, max=9)] = 3,
    at_most: Annotated[int | None, typer.Option(max=5)] = None,
    colour: Annotated[Colour, typer.Option()] = Colour.RED,
    folder: Annotated[Path, typer.Option()] = Path("here"),
    loud: Annotated[bool, typer.Option("--loud")] = False,
    parsed: Annotated[str, typer.Option(parser=lambda text: f"<{text}>")] = "default",
) -> None:
    typer.echo(repr((name, numbers, port, at_most, colour, folder, loud, parsed)))


def result_of(words: list[str]) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(options)
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Puts the function back that Typer came with."""
    present = typer.core.build_runtime_param  # pyright: ignore[reportPrivateImportUsage]
    return lambda: monkeypatch.setattr(typer.core, "build_runtime_param", getattr(present, "original", present))


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        [],
        ["1", "--number", "2", "--number", "x"],
        ["a", "--port", "9"],
        ["a", "--port", "10"],
        ["a", "--port", "nine"],
        ["a", "--at-most", "5", "--loud"],
        ["a", "--at-most", "6"],
        ["a", "--colour", "blue"],
        ["a", "--colour", "green"],
        ["a", "--folder", "there"],
        ["a", "--parsed", "x"],
    ],
)
def test_options_mean_what_they_mean_without_the_patch(words: list[str], unpatched: Callable[[], Any]) -> None:
    unpatched()
    expected = result_of(words)
    read_options_on_demand()
    assert result_of(words) == expected


@pytest.mark.slow
def test_upstream_still_imports_pydantic() -> None:
    """When this fails: delete patches/typer_options.py."""
    done = subprocess.run([sys.executable, "-c", OPTION + PRINTED], check=True, capture_output=True, text=True)
    assert done.stderr == "True\n"


@pytest.mark.parametrize("args", [["status"], pytest.param(["status", "--platform", "crn"], marks=pytest.mark.slow)])
def test_a_command_imports_no_pydantic(args: list[str]) -> None:
    code = f"from platform_assets.cli import main\ntry: main()\nfinally:{PRINTED.replace(chr(10), ' ')}"
    assert command(*args, code=code).stderr.splitlines()[-1] == "False"
