"""The JSON schema accepts what the reader accepts, and refuses what it refuses."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from platform_assets.cli.app import app
from platform_assets.declarations import Platform
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.schema import json_schema
from platform_assets.platforms import all_platforms
from tests.platform_files.test_reader import SHOP

VALIDATOR = jsonschema.Draft7Validator(json_schema())


def problems(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(json_schema())


@pytest.mark.parametrize("platform", all_platforms(), ids=lambda platform: platform.name)
def test_every_platform_is_valid(platform: Platform) -> None:
    assert problems(as_yaml(platform)) == []


def test_short_forms_are_valid() -> None:
    assert problems(SHOP) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("description: Orders and", "descripton: Orders and"),
        ("maximum: 100", "maxium: 100"),
        ("    limit: 100\n", ""),
        ("limit: 100", "limit: many"),
        ("type: page_number", "type: page_numbr"),
        ("lag: 5m", "lag: 5"),
        ("on_removal: ignore", "on_removal: ignored"),
        ("paginator: single_page", "paginator: offset"),
        ("type: buckets, count", "count"),
        ("name: shop", "name: shop\nreference: {}"),
    ],
)
def test_what_the_reader_refuses_is_invalid(old: str, new: str) -> None:
    assert SHOP.count(old) == 1
    assert problems(SHOP.replace(old, new))


def test_keys_have_the_descriptions_of_the_classes() -> None:
    definitions: dict[str, Any] = json_schema()["definitions"]
    resource = definitions["Resource"]["properties"]
    assert resource["personal"]["description"].startswith("fields with personal data, which the setting")
    assert definitions["Platform"]["properties"]["title"]["description"] == "for people, in the UI."
    assert definitions["BearerAuth"]["description"].startswith("`Authorization: Bearer <token>`")


def test_the_command_prints_it_or_writes_it(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "platform.schema.json"
    for arguments in (["schema"], ["schema", "--output", str(file)]):
        with pytest.raises(SystemExit) as ended:
            app(arguments)
        assert ended.value.code == 0
        printed = capsys.readouterr().out
        assert json.loads(file.read_text() if file.exists() else printed) == json_schema()
