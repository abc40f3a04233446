"""Commands that write or describe platform files: `schema`, `new`, `import`. Each imports what it needs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from platform_assets.declarations import PlatformAssetsError
from platform_assets.whole_file import write_whole

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
        write_whole(path, text)
    except OSError as error:
        raise PlatformAssetsError(f"{path} cannot be written: {error.strerror}") from None


@commands.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the platform in snake_case: schema, group and settings.")],
    base_url: Annotated[str | None, typer.Option("--base-url", help="Where the API is.")] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", help="How the credential is sent: bearer, api_key, http_basic, ...")
    ] = None,
    auth_name: Annotated[
        str | None, typer.Option("--auth-name", help="With `--auth api_key`: its query parameter or header.")
    ] = None,
    auth_location: Annotated[
        str | None, typer.Option("--auth-location", help="With `--auth api_key`: query or header.")
    ] = None,
    token_url: Annotated[
        str | None, typer.Option("--token-url", help="With OAuth: path of the token endpoint below the base URL.")
    ] = None,
    resource: Annotated[
        list[str] | None,
        typer.Option("--resource", help="A list: orders:/v1/orders, lines:/v1/orders/{id}/lines. May be repeated."),
    ] = None,
    selector: Annotated[
        str | None, typer.Option("--data-selector", help="Dotted path to the records; the body itself by default.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Field that says which record is which: id, or id:text; default id.")
    ] = None,
    page_size: Annotated[
        int | None, typer.Option("--page-size", help="Records a page, for `?page=1&per_page=`.", min=1)
    ] = None,
    page_param: Annotated[str | None, typer.Option("--page-param", help="The page's parameter; default page.")] = None,
    limit_param: Annotated[
        str | None, typer.Option("--limit-param", help="The page size's parameter; default per_page.")
    ] = None,
    openapi: Annotated[
        Path | None,
        typer.Option("--openapi", help="OpenAPI 3 or Swagger 2 file, in JSON or YAML: takes all lists from it."),
    ] = None,
    python: Annotated[bool, typer.Option("--python/--yaml", help="Write Python, or YAML.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to write it; default `[platforms] folder`.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if there is one.")] = False,
) -> None:
    """Write a platform file for an API: from a few answers, or from its OpenAPI specification.

    What is not given as an option is asked for on a terminal. Sends no request.
    """
    from platform_assets.cli.new import NewPlatform, write_new

    write_new(
        NewPlatform(
            name=name,
            base_url=base_url,
            auth=auth,
            auth_values={"name": auth_name, "location": auth_location, "access_token_url": token_url},
            resources=tuple(resource or ()),
            selector=selector,
            key=key,
            paging={"limit": page_size, "page_param": page_param, "limit_param": limit_param},
            openapi=openapi,
            python=python,
            folder=folder,
            force=force,
        )
    )


class FileFormat(StrEnum):
    """How a platform's file is written."""

    YAML = "yaml"
    PYTHON = "python"


@commands.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A dlt rest_api configuration (Python, JSON, YAML, Markdown) or a low-code connector's manifest."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="The platform's name. Default: the configuration's, or the file's.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="Folder of the platform's file; default `[platforms] folder`.")
    ] = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="How the file is written.")] = FileFormat.YAML,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    sample: Annotated[
        bool,
        typer.Option("--sample", help="Send one request per resource for types, paging and what else was left out."),
    ] = False,
    like: Annotated[
        str | None,
        typer.Option(help="A platform of the same API, for what the file leaves out."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 if anything could not be carried.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; docs/import.md has its keys.")
    ] = False,
) -> None:
    """Write a platform's file from another tool's configuration, and report what was mended, assumed and left out.

    Nothing in the file is run. Exit code 0 if the platform was written, whatever the report says; --strict is for CI.
    """
    from platform_assets.cli.import_file import import_file

    carried = import_file(
        file,
        name=name,
        into=into,
        file_format=file_format,
        force=force,
        sample=sample,
        like=like,
        as_json=as_json,
    )
    raise typer.Exit(1 if strict and not carried else 0)
