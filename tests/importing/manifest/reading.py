"""Manifests for tests, read as the importer reads them."""

from pathlib import Path
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.components import Manifest
from platform_assets.importing.manifest.reading import read_manifest

HEAD = "version: 1.0.0\ntype: DeclarativeSource\ncheck: {type: CheckStream, stream_names: [orders]}\n"


def manifest(text: str, findings: Findings | None = None, *, file: Path | str = "manifest.yaml") -> Manifest:
    """The manifest of a text; `HEAD` is put before it."""
    return read_manifest(HEAD + text, Path(file), Findings() if findings is None else findings)


def component(text: str, findings: Findings | None = None, *, name: str = "orders") -> Any:
    """The component of a manifest's stream."""
    (found,) = [one.component for one in manifest(text, findings).streams if one.name == name]
    return found


def reasons(findings: Findings) -> list[tuple[str, str | None, str]]:
    return [(str(one.severity), one.resource, one.what) for one in findings.all()]
