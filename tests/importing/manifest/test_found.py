"""A manifest is told from a dlt configuration by what is in the file, in every form in which people keep one."""

import json

import pytest

from platform_assets.importing.documents import Document, ManifestDocument, parse_document
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.reading import read_manifest

MANIFEST = "version: 1.0.0\ntype: DeclarativeSource\nstreams:\n- name: orders\n  retriever: {}\n"
DATA = {"type": "DeclarativeSource", "streams": [{"name": "orders", "retriever": {}}]}
DLT = "rest_api_source({'client': {'base_url': 'https://api.shop.dev'}, 'resources': ['streams']})"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.yaml", MANIFEST),
        ("manifest.yml", MANIFEST.replace("\n", "\r\n")),
        ("manifest.yaml", "streams:\n- {name: orders, retriever: {}}\n"),
        ("manifest.yaml", "dynamic_streams: []\nstreams:\n- {name: orders, retriever: {}}\ndefinitions: {}\n"),
        ("manifest.json", json.dumps(DATA)),
        ("builder.json", json.dumps({"name": "Shop", "manifest": DATA}, indent=1)),
        ("builder.yaml", json.dumps({"declarativeManifest": {"manifest": DATA}})),
        ("shop.md", f"```json\n{json.dumps(DATA, indent=chr(9))}\n```\n"),
        ("manifest.yaml", "{type: DeclarativeSource, \n streams: [{name: orders, retriever: {}}]}"),
        ("shop.md", f"# Shop\n\n```yaml\n{MANIFEST}```\n"),
        ("shop.txt", f"```\n{MANIFEST}```\n"),
        ("notes", MANIFEST),
    ],
)
def test_a_manifest_is_found(name: str, text: str) -> None:
    found = parse_document(text, name)
    assert isinstance(found, ManifestDocument)
    read = read_manifest(found.text, found.file, Findings())
    assert [one.name for one in read.streams] == ["orders"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.py", f"{DLT}  # type: DeclarativeSource, retriever, streams:"),
        ("shop.yaml", "client: {base_url: 'https://api.shop.dev'}\nresources: [streams]\n"),
        ("shop.md", f"A `retriever` of streams:\n\n```python\n{DLT}\n```\n"),
    ],
)
def test_a_dlt_configuration_that_speaks_of_streams_stays_one(name: str, text: str) -> None:
    assert isinstance(parse_document(text, name), Document)


def test_further_manifests_of_a_document_are_told_with_their_lines() -> None:
    found = parse_document(f"```yaml\n{MANIFEST}```\n\n```yaml\n{MANIFEST}```\n\n```python\n{DLT}\n```\n", "shop.md")
    assert isinstance(found, ManifestDocument)
    assert (found.line, found.others) == (2, (10, 18))
