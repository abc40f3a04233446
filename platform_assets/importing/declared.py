"""What a file declares, in whichever language: a dlt configuration or a connector's manifest."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platform_assets.importing.dlt_config import Imported, import_document
from platform_assets.importing.documents import Document, read_document
from platform_assets.importing.findings import Findings


@dataclass(frozen=True)
class Declared:
    """A declaration of an API.

    Attributes:
        name: its own, if it has one.
        imported: makes the platform of a name. Raises UnreadableDocument if nothing can be carried.
    """

    name: str | None
    imported: Callable[[str], Imported]


def declared_in(file: Path) -> Declared:
    """The declaration in a file. Raises UnreadableDocument if there is none."""
    document = read_document(file)
    if isinstance(document, Document):
        return Declared(document.name, lambda name: import_document(document, name))
    # Jinja2 is imported where there is a manifest.
    from platform_assets.importing.manifest.converting import import_manifest
    from platform_assets.importing.manifest.reading import read_manifest

    findings = Findings()
    for line in document.others:
        findings.not_carried(None, "another manifest", f"line {line}: one file declares one platform")
    manifest = read_manifest(document.text, document.file, findings)
    return Declared(manifest.name, lambda name: import_manifest(manifest, name, findings))
