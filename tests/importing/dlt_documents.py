"""dlt configurations as the importer finds them, for tests that know that a file has one."""

from pathlib import Path

from platform_assets.importing import documents
from platform_assets.importing.documents import Document


def parse_document(text: str, name: str) -> Document:
    found = documents.parse_document(text, name)
    assert isinstance(found, Document)
    return found


def read_document(path: Path) -> Document:
    found = documents.read_document(path)
    assert isinstance(found, Document)
    return found
