"""`platform-assets import manifest.yaml` sees by itself that a file is a connector's manifest, and runs none of it."""

import json
from pathlib import Path

import pytest

from platform_assets.platforms import platform_named
from tests.cli.test_import import Run
from tests.cli.test_import import run as run

MANIFEST = """
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [orders]}
definitions:
  stream:
    type: DeclarativeStream
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {type: HttpRequester, url_base: 'https://api.shop.dev', path: "{{ parameters['path'] }}"}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
streams:
- {$ref: '#/definitions/stream', name: orders, $parameters: {path: /orders}}
- {$ref: '#/definitions/stream', name: items, $parameters: {path: /items}}
"""
OWN_CODE = """
- type: DeclarativeStream
  name: "odd \\e[2J"
  retriever: {type: CustomRetriever, class_name: source_shop.components.Odd}
"""
SPEC = """
spec:
  type: Spec
  documentation_url: https://docs.shop.dev/integrations/sources/web-shop
  connection_specification: {type: object, properties: {}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "manifest.yaml"
    found.write_text(MANIFEST + OWN_CODE + SPEC)
    (tmp_path / "components.py").write_text("open('ran', 'w')\n")
    return found


def test_a_manifest_becomes_a_platform_that_is_called_after_its_source(run: Run, file: Path) -> None:
    code, out, err = run(file)
    assert code == 0, err
    assert out.startswith("platforms/web_shop.yaml: 2 resources; 1 not carried")
    assert [one.endpoint.path for one in platform_named("web_shop").resources] == ["/orders", "/items"]
    assert not (file.parent / "ran").exists()
    assert "\x1b" not in out and "source_shop.components.Odd" in out


def test_the_report_as_json_says_what_was_left_out(run: Run, file: Path) -> None:
    code, out, err = run(file, "--json", "--strict", "--name", "mine")
    assert code == 1, err
    document = json.loads(out)
    assert (document["platform"], document["base_url"]) == ("mine", "https://api.shop.dev")
    assert (document["resources"], document["carried"]) == (["orders", "items"], False)
    file.write_text(MANIFEST + SPEC)
    assert json.loads(run(file, "--json", "--name", "whole")[1])["carried"] is True


def test_a_manifest_that_cannot_be_read_is_an_error_in_a_line(run: Run, file: Path) -> None:
    file.write_text("streams:\n- {name: orders, retriever: '#/definitions/a\\e[2J'}\n")
    code, out, err = run(file)
    assert (code, out) == (1, "")
    assert "manifest.yaml: no stream can be read" in err and "\x1b" not in err
    assert not (file.parent / "platforms").exists()
