"""`platform-assets new`: a platform file from options, from answers on a terminal, or from an OpenAPI specification."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from platform_assets.cli.declaring import write_file
from platform_assets.configuration import all_credentials
from platform_assets.configuration.platform_settings import setting_name
from platform_assets.counted import counted
from platform_assets.declarations import Auth, Endpoint, Platform, Resolve, SettingsError
from platform_assets.declarations.errors import short_path
from platform_assets.importing.parents import Listing, guess_parents
from platform_assets.platform_files import as_python, as_yaml
from platform_assets.platform_files.openapi import draft_platform, read_specification
from platform_assets.platform_files.reader import parse_platform
from platform_assets.platform_files.starting import Answers, class_words, listed, made_of, start_platform
from platform_assets.platforms import shipped_platforms, user_folder

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class NewPlatform:
    """The options of `platform-assets new`; None is asked for, or what is usual is taken."""

    name: str
    base_url: str | None
    auth: str | None
    auth_values: Mapping[str, Any]
    resources: tuple[str, ...]
    selector: str | None
    key: str | None
    paging: Mapping[str, Any]
    openapi: Path | None
    python: bool
    folder: Path | None
    force: bool


def write_new(request: NewPlatform) -> None:
    """Write the platform's file and print what to do next. Raises PlatformAssetsError if it cannot be written."""
    if not _NAME.fullmatch(request.name):
        raise SettingsError(f"{request.name!r} is not snake_case: it names a schema and asset keys")
    folder = user_folder() if request.folder is None else Path.cwd() / request.folder
    path = folder / f"{request.name}{'.py' if request.python else '.yaml'}"
    _check_free(folder, path, request)
    platform = _from_specification(request, request.openapi) if request.openapi else _from_answers(request)
    text = as_python(platform) if request.python else as_yaml(platform)
    if not request.python:
        # What is written must load: say now what would not.
        parse_platform(text, str(path))
    write_file(path, text)
    _say_what_is_next(platform, path, is_found=folder == user_folder())


def _check_free(folder: Path, path: Path, request: NewPlatform) -> None:
    """Raise SettingsError for a name that is taken. Two files of one platform would hide each other."""
    for suffix in (".yaml", ".yml", ".py"):
        other = folder / f"{request.name}{suffix}"
        if other.exists() and not (request.force and other == path):
            hint = "give --force to overwrite it" if other == path else "move it away first"
            raise SettingsError(f"{short_path(str(other))} exists already: {hint}")
    if request.name in [platform.name for platform in shipped_platforms()] and not request.force:
        raise SettingsError(
            f"the package has a platform {request.name!r}: choose another name, or --force to replace it"
        )


def _from_specification(request: NewPlatform, file: Path) -> Platform:
    if request.resources:
        raise SettingsError("--resource and --openapi contradict each other: the lists are those of the specification")
    auth = _auth(request, request.auth) if request.auth else None
    draft = draft_platform(read_specification(file), request.name, request.base_url, auth)
    for title, lines in (("assumed", draft.assumed), ("left out", draft.left_out)):
        if lines:
            typer.echo(f"{title}:")
        for line in lines:
            typer.echo(f"  {line}")
    return draft.platform


def _from_answers(request: NewPlatform) -> Platform:
    base_url = request.base_url or _ask("Where is the API (base URL)", "--base-url")
    auth = _auth(request, request.auth or _ask(f"Auth: {', '.join(class_words('auth'))}", "--auth", "bearer"))
    resources = request.resources or tuple(_ask("Lists, as orders:/v1/orders", "--resource").split())
    selector = request.selector
    if selector is None and not request.resources:
        selector = _ask("Dotted path to the records in a body (empty: the body itself)", "--data-selector", "")
    lists = listed(resources)
    key, _, key_type = (request.key or "id").partition(":")
    word = "page_number" if request.paging.get("limit") else "single_page"
    if word == "single_page" and any(request.paging.values()):
        raise SettingsError("--page-param and --limit-param need --page-size: a short page is the last one")
    return start_platform(
        Answers(
            name=request.name,
            base_url=base_url,
            auth=auth,
            resources=resources,
            paginator=made_of("paginator", word, request.paging),
            selector=selector or "",
            key=key,
            key_type=key_type or "bigint",
            parents=_parents(lists, key),
        )
    )


def _parents(lists: Sequence[tuple[str, str]], key: str) -> dict[str, dict[str, Resolve]]:
    """The parents that the paths tell, which are said. Raises SettingsError for a placeholder that tells none."""
    listings = [Listing(name, path) for name, path in lists]
    found: dict[str, dict[str, Resolve]] = {}
    for one in listings:
        names = Endpoint(path=one.path).placeholders
        guessed, reasons = guess_parents(one, names, listings, {})
        if unknown := [name for name in names if name not in guessed]:
            raise SettingsError(
                f"nothing says where {{{unknown[0]}}} of {one.path!r} comes from: give the list that has it too, "
                "e.g. `--resource orders:/v1/orders --resource order_lines:/v1/orders/{order_id}/lines`"
            )
        # A placeholder that names the object and no field of it means the key.
        own = {name: replace(it, field=key) if it.field in ("id", "slug") else it for name, it in guessed.items()}
        if own:
            found[one.name] = own
        for name, why in reasons:
            typer.echo(f"assumed: {{{name}}} of {one.name} is `{own[name].field}` of `{own[name].resource}`: {why}")
    return found


def _auth(request: NewPlatform, word: str) -> Auth:
    values = dict(request.auth_values)
    if word.removesuffix("_auth") == "api_key" and values["name"] is None:
        values["name"] = _ask("Name of the query parameter or header", "--auth-name")
    if values["location"] not in (None, "query", "header"):
        raise SettingsError(f"--auth-location is query or header, not {values['location']!r}")
    return made_of("auth", word, values)


def _ask(question: str, option: str, default: str | None = None) -> str:
    """The answer on a terminal. Elsewhere the default, or SettingsError that names the option."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, default=default))
    if default is None:
        raise SettingsError(f"{option} is missing: there is no terminal to ask on")
    return default


def _say_what_is_next(platform: Platform, path: Path, *, is_found: bool) -> None:
    typer.echo(f"written: {short_path(str(path))} ({counted(len(platform.resources), 'resource')})")
    if not is_found:
        typer.echo(f"next: set PLATFORMS__FOLDER to {short_path(str(path.parent))}, where it is looked for")
    secrets = [setting_name(platform, setting.key) for setting in all_credentials(platform)]
    if secrets:
        them = "it" if len(secrets) == 1 else "them"
        typer.echo(f"next: set {' and '.join(secrets)}, or put {them} into .dlt/secrets.toml; then")
    else:
        typer.echo("next:")
    typer.echo(f"  platform-assets check --platform {platform.name}")
    typer.echo(f"  platform-assets sync --platform {platform.name}")
