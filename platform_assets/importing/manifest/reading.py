"""A manifest's text as a `Manifest`: its YAML, references, parameters, legacy words and dynamic streams."""

from pathlib import Path
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.components import Manifest


def is_manifest(loaded: Any) -> bool:
    """Whether data of a file is a declarative connector's manifest."""
    raise NotImplementedError


def read_manifest(text: str, file: Path, findings: Findings) -> Manifest:
    """The manifest in a text, YAML or JSON.

    Args:
        file: where the text is from; schemas that it refers to are read from this folder only.
        findings: gets what was assumed or left out.

    Raises UnreadableDocument if no stream can be read.
    """
    raise NotImplementedError
