"""Schemas are read from the manifest's own folder, and from nowhere else."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.measured import Shared
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.importing.manifest.schema_files import MAX_FILE, SchemaFiles, UnreadableSchema
from tests.importing.manifest.reading import HEAD, reasons

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "source_shop"
    (found / "schemas" / "shared").mkdir(parents=True)
    (found / "schemas" / "orders.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "outside.json").write_text(json.dumps(SCHEMA))
    return found


def loader(folder: Path, written: str, findings: Findings | None = None) -> Any:
    text = f"streams:\n- name: orders\n  $parameters: {{name: orders}}\n  retriever: {{}}\n{written}"
    found = read_manifest(HEAD + text, folder / "manifest.yaml", Findings() if findings is None else findings)
    return found.streams[0].component.get("schema_loader")


@pytest.mark.parametrize(
    "path", ["./schemas/{{ parameters['name'] }}.json", "./source_shop/schemas/orders.json", "schemas/orders.json", ""]
)
def test_a_schema_in_a_file_of_the_folder_is_read(folder: Path, path: str) -> None:
    written = f'  schema_loader: {{type: JsonFileSchemaLoader, file_path: "{path}"}}\n'
    assert loader(folder, written) == {"type": "InlineSchemaLoader", "schema": SCHEMA}


def test_a_schema_that_is_called_like_the_stream_is_read_if_none_is_named(folder: Path) -> None:
    assert loader(folder, "") == {"type": "InlineSchemaLoader", "schema": SCHEMA}
    own = {"type": "object", "properties": {"own": {}}}
    assert loader(folder, f"schemas: {{orders: {json.dumps(own)}}}\n")["schema"] == own


def test_settings_in_a_file_beside_the_manifest_are_read_unless_it_has_its_own(folder: Path) -> None:
    properties = "properties: {api_key: {airbyte_secret: true}}"
    (folder / "spec.yaml").write_text(
        f"documentationUrl: https://docs.shop.dev/sources/shop\nconnectionSpecification: {{{properties}}}\n"
    )
    text = HEAD + "streams: [{name: orders, retriever: {}}]\n"
    found = read_manifest(text, folder / "manifest.yaml", Findings())
    assert (found.settings.all, found.settings.is_secret("api_key"), found.name) == (("api_key",), True, "shop")
    own = text + "spec: {connection_specification: {properties: {other: {}}}}\n"
    assert read_manifest(own, folder / "manifest.yaml", Findings()).settings.all == ("other",)


def test_streams_whose_schema_is_not_there_are_one_line_of_the_report(folder: Path) -> None:
    findings = Findings()
    one = "{{name: {name}, retriever: {{}}, schema_loader: {{type: JsonFileSchemaLoader, file_path: {name}.json}}}}"
    text = f"streams: [{one.format(name='a')}, {one.format(name='b')}]\n"
    read_manifest(HEAD + text, folder / "manifest.yaml", findings)
    assert len({one.why for one in findings.all()}) == 1


def test_references_within_and_between_files_are_followed(folder: Path) -> None:
    parts = {"definitions": {"money": {"type": "number"}, "self": {"$ref": "#/definitions/money"}}}
    (folder / "schemas" / "shared" / "parts.json").write_text(json.dumps(parts))
    (folder / "schemas" / "orders.json").write_text(
        json.dumps(
            {
                "type": "object",
                "definitions": {"id": {"type": "integer"}},
                "properties": {
                    "id": {"$ref": "#/definitions/id"},
                    "price": {"$ref": "shared/parts.json#/definitions/self"},
                },
            }
        )
    )
    properties = loader(folder, "")["schema"]["properties"]
    assert properties == {"id": {"type": "integer"}, "price": {"type": "number"}}


def test_a_reference_of_the_manifest_to_a_file_of_the_folder_is_read(folder: Path) -> None:
    written = "  schema_loader: {type: InlineSchemaLoader, schema: {$ref: ./schemas/orders.json}}\n"
    assert loader(folder, written)["schema"] == SCHEMA


@pytest.mark.parametrize(
    "path",
    [
        "../outside.json",
        "schemas/../../outside.json",
        "{outside}",
        "file://{outside}",
        "https://shop.dev/x.json",
        "link.json",
        "linked/outside.json",
        "schemas",
        "pipe.json",
        "absent.json",
        "circle.json",
        "large.json",
        "broken.json",
        "list.json",
        "~/outside.json",
        "..\\\\outside.json",
    ],
)
def test_nothing_else_is_read_and_the_stream_is_carried_without_its_types(folder: Path, path: str) -> None:
    outside = folder.parent / "outside.json"
    (folder / "link.json").symlink_to(outside)
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.json")
    (folder / "circle.json").write_text('{"$ref": "circle.json"}')
    (folder / "large.json").write_bytes(b"[" + b" " * MAX_FILE + b"]")
    (folder / "broken.json").write_text('{"type"')
    (folder / "list.json").write_text("[]")
    findings = Findings()
    written = f'  schema_loader: {{type: JsonFileSchemaLoader, file_path: "{path.format(outside=outside)}"}}\n'
    assert loader(folder, written, findings) is None
    assert reasons(findings) == [("assumed", "orders", "schema_loader")]


def test_files_together_are_bounded(folder: Path) -> None:
    shared = Shared()
    files = SchemaFiles(folder, shared)
    deep: Any = {}
    for number in range(100):
        deep = {"properties": {f"p{number}": deep}}
    (folder / "deep.json").write_text(json.dumps(deep))
    names = [f"s{number}" for number in range(8)]
    for name, other in zip(names, [*names[1:], "deep"], strict=True):
        parts = {f"p{number}": {"$ref": f"{other}.json"} for number in range(20)}
        (folder / f"{name}.json").write_text(json.dumps({"properties": parts}))
    for name in ("deep", "s0"):
        with pytest.raises(UnreadableSchema, match=r"more than|deep"):
            files.in_file(f"{name}.json")
