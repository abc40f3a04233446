"""Commands that write or describe platform files: `schema`, `new`. Each imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from platform_assets.declarations import PlatformAssetsError

commands = typer.Typer()


@commands.command()
def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead.")] = None,
) -> None:
    """Print a JSON schema of platform files in YAML, from which an editor completes and checks them."""
    import json

    from platform_assets.platform_files.schema import json_schema

    text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    write_file(output, f"{text}\n")
    typer.echo(f"written: {output}")


def write_file(path: Path, text: str) -> None:
    """Write a file, and the folders that it is in. Raises PlatformAssetsError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlatformAssetsError(f"{path} cannot be written: {error.strerror}") from None
