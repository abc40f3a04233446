"""Which declaration a scaffolded component gets: of a file, imported from another tool's, or one to fill in."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from platform_assets.declarations import PlatformAssetsError
from platform_assets.importing.findings import Finding
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.document import Mapping, parse, read_text
from platform_assets.platform_files.loading import BrokenPlatform, load_file

_YAML = (".yaml", ".yml")
# What a declaration has at its top, and another tool's configuration has not.
_OURS = ("name", "resources")
_TO_FILL_IN = """\
name: {name}
title: {title}
description: What {title} is, in a sentence.
base_url: https://api.example.com
client:
  # Its credential is the setting SOURCES__{variable}__API_TOKEN.
  auth: bearer
  # A cheap request that proves address and credential.
  probe: /v1/items
  paginator: {{type: page_number, limit: 100}}
resources:
  - name: items
    description: What one item is, in a sentence.
    endpoint: {{path: /v1/items, incremental: {{cursor_path: updated_at}}}}
    primary_key: id
    columns: {{id: bigint, updated_at: timestamp}}
"""


class Refused(PlatformAssetsError):
    """There is no declaration to write; the text says why."""


def declaration_to_fill_in(name: str) -> str:
    """A declaration that is valid as it stands, in YAML; address and resources are examples.

    Args:
        name: of the platform, in snake_case.
    """
    return _TO_FILL_IN.format(name=name, title=name.replace("_", " ").capitalize(), variable=name.upper())


def declaration_from(file: Path, name: str) -> tuple[str, list[str]]:
    """The declaration of a file, in YAML, and what is to be said of it, a line each.

    A declaration in YAML is taken as it stands, and one in Python as it is written in YAML; from any other
    configuration it is imported.

    Args:
        name: of the platform, where the file says none.

    Raises PlatformAssetsError if the file holds none that can run.
    """
    if not file.is_file():
        raise Refused(f"{file}: there is no such file")
    if not _is_declaration(file):
        return _imported(file, name)
    found = load_file(file, [])
    if isinstance(found, BrokenPlatform):
        raise Refused(str(found))
    return (read_text(file) if file.suffix in _YAML else as_yaml(found)), []


def _is_declaration(file: Path) -> bool:
    if file.suffix in _YAML:
        try:
            document = parse(read_text(file), str(file))
        except PlatformAssetsError:
            return False  # The importer says what is wrong with it.
        return isinstance(document, Mapping) and all(key in document.entries for key in _OURS)
    return file.suffix == ".py" and b"PLATFORM" in file.read_bytes()


def _imported(file: Path, name: str) -> tuple[str, list[str]]:
    # Only here: whoever has a declaration needs no importer.
    from platform_assets.importing.declared import declared_in

    imported = declared_in(file).imported(name)
    return as_yaml(replace(imported.platform, base_url=imported.base_url)), list(_sayings(imported.findings))


def _sayings(findings: Iterable[Finding]) -> Iterator[str]:
    for one in findings:
        place = f"{one.resource}: " if one.resource else ""
        said = f"{one.severity}: {place}{one.what}: {one.why}"
        # The text of a file that somebody else wrote must not command the terminal.
        yield "".join(char if char.isprintable() else "�" for char in said)
