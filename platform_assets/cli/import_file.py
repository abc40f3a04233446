"""`platform-assets import`: another tool's configuration of an API becomes a platform's file, with a report."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import typer

from platform_assets.cli.declaring import write_file
from platform_assets.cli.sampling import take_samples
from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import REFERENCE, Platform, PlatformAssetsError, Template, secrets_of
from platform_assets.declarations.errors import short_path
from platform_assets.extraction.connection import connect
from platform_assets.importing.completion import complete
from platform_assets.importing.declared import declared_in
from platform_assets.importing.dlt_config import Imported
from platform_assets.importing.findings import Finding, Findings, Severity, by_severity
from platform_assets.importing.names import snake_case
from platform_assets.importing.samples import learn
from platform_assets.platform_files import as_python, as_yaml
from platform_assets.platform_files.reader import parse_platform
from platform_assets.platforms import platform_named, shipped_platforms, user_folder

_NAMED = 4
_MEANINGS = {
    Severity.NOT_CARRIED: "left out of what was written",
    Severity.SUSPECTED: "carried as it stands, and probably not what was meant",
    Severity.ASSUMED: "said nowhere, and needed",
    Severity.MENDED: "written in a way that does not work, and corrected",
}


class ImportRefused(PlatformAssetsError):
    """Nothing was written; the text says why."""


def import_file(
    file: Path,
    *,
    name: str | None,
    into: Path | None,
    file_format: str,
    force: bool,
    sample: bool,
    like: str | None,
    as_json: bool,
) -> bool:
    """Write the platform that a file declares, and print the report; whether everything could be carried.

    Args:
        name: the platform's; None takes the one in the file, or the file's own.
        into: folder of the new file, made if it is not there; None for the user's own.
        file_format: `yaml` or `python`.
        force: replace a file that is there.
        sample: send one request per resource for what the configuration does not say.
        like: a platform of the same API, which is taken for what the configuration does not say.
        as_json: print one JSON document.

    Raises PlatformAssetsError if nothing was written.
    """
    declared = declared_in(file)
    chosen = name or snake_case(declared.name or file.name.partition(".")[0])
    if snake_case(chosen) != chosen:
        raise ImportRefused(
            f"{chosen!r} cannot be a platform's name: use snake_case, as in --name {snake_case(chosen) or 'shop'}"
        )
    folder = user_folder() if into is None else Path.cwd() / into
    target = folder / f"{chosen}.{'py' if file_format == 'python' else 'yaml'}"
    _check_free(folder, target, chosen, force=force)
    imported = declared.imported(chosen)
    if like is not None:
        imported = complete(imported, platform_named(like))
    if sample:
        imported = _sampled(imported)
    platform = replace(imported.platform, base_url=imported.base_url)
    text = as_python(platform) if file_format == "python" else as_yaml(platform)
    if file_format != "python":
        # What is written must load: say now what would not.
        parse_platform(text, str(target))
    _write(target, text)
    if as_json:
        typer.echo(json.dumps(_as_document(platform, target, imported), indent=2))
    else:
        for line in report(platform, target, imported):
            # The text of a file that somebody else wrote must not command the terminal.
            typer.echo("".join(char if char.isprintable() else "�" for char in line))
    return not any(one.severity is Severity.NOT_CARRIED for one in imported.findings)


def _check_free(folder: Path, target: Path, name: str, *, force: bool) -> None:
    """Raise ImportRefused for a name that is taken. Two files of one platform would hide each other."""
    for suffix in (".yaml", ".yml", ".py"):
        other = folder / f"{name}{suffix}"
        if other.exists() and not (force and other == target):
            hint = "--force replaces it, --name gives another name" if other == target else "move it away first"
            raise ImportRefused(f"{short_path(str(other))} is there already: {hint}")
    if name in [platform.name for platform in shipped_platforms()] and not force:
        raise ImportRefused(f"the package has a platform {name!r}: --name gives another name, --force replaces it")


def _write(target: Path, text: str) -> None:
    """Put a whole file in place at once; a link that is there is replaced, not followed."""
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    write_file(new, text)
    try:
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise ImportRefused(f"{target} cannot be written: {error.strerror}") from None


def _sampled(imported: Imported) -> Imported:
    """What one request per resource tells. Raises SettingsError for a missing setting."""
    connection = connect(replace(imported.platform, base_url=imported.base_url))
    with connection.open_client(retries=False) as client:
        samples, problems = take_samples(connection.platform, client)
    findings = Findings(imported.findings)
    for name, why in problems.items():
        findings.suspected(name, "sample", why)
    return learn(replace(imported, findings=findings.all()), samples)


def report(platform: Platform, target: Path, imported: Imported) -> Iterable[str]:
    """The doctor's report, a line each; equal findings of several resources are one line."""
    counts = {severity: len(found) for severity, found in by_severity(imported.findings).items()}
    summary = ", ".join(f"{count} {severity}" for severity, count in counts.items()) or "nothing to say"
    yield f"{short_path(str(target))}: {len(platform.resources)} resources; {summary}"
    for severity, found in by_severity(imported.findings).items():
        yield ""
        yield f"{severity}: {_MEANINGS[severity]}"
        for names, one in _grouped(found):
            yield f"  {names}{one.what}: {one.why}"
    yield ""
    yield "next:"
    if imported.base_url is None:
        yield f"  set {setting_name(platform, 'base_url')}"
    for key in (*secrets_of(platform.auths), *platform.configured_of(REFERENCE)):
        yield f"  set {setting_name(platform, key)}"
    yield f"  platform-assets check --platform {platform.name}"
    yield f"  platform-assets sync --platform {platform.name}"


def _grouped(found: Iterable[Finding]) -> Iterable[tuple[str, Finding]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        groups.setdefault((one.what, one.why), []).append(one)
    for group in groups.values():
        names = [one.resource for one in group if one.resource is not None]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{', '.join(names[:_NAMED])}{more}: " if names else "", group[0]


def _as_document(platform: Platform, target: Path, imported: Imported) -> dict[str, object]:
    return {
        "file": short_path(str(target)),
        "platform": platform.name,
        "base_url": imported.base_url.text if isinstance(imported.base_url, Template) else imported.base_url,
        "resources": [resource.name for resource in platform.resources],
        "carried": not any(one.severity is Severity.NOT_CARRIED for one in imported.findings),
        "findings": [one.as_dict() for one in imported.findings],
    }
