"""Configurations are found in every form in which people keep them, and nothing in a file is ever run."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from platform_assets.importing.documents import MAX_BYTES, Document
from platform_assets.importing.findings import UnreadableDocument
from platform_assets.importing.values import Called, Joined, Setting, Unreadable
from tests.importing.dlt_documents import parse_document, read_document

CONFIG = {"client": {"base_url": "https://api.shop.dev"}, "resources": ["orders"]}
LITERAL = repr(CONFIG)


def python(source: str) -> Document:
    return parse_document(source, "source.py")


@pytest.mark.parametrize(
    "source",
    [
        f"source = rest_api_source({LITERAL})",
        f"rest_api_resources(config={LITERAL})",
        f"config: RESTAPIConfig = {LITERAL}\nsource = rest_api_source(config)",
        f"@dlt.source\ndef shop():\n    config = {LITERAL}\n    yield from rest_api_resources(config)",
        f"anything = {LITERAL}",
        "URL = 'https://api.shop.dev'\nN = ['orders']\nrest_api_source({'client': {'base_url': URL}, 'resources': N})",
        "V = 'api'\nrest_api_source({'client': {'base_url': f'https://{V}.shop.dev'}, 'resources': ['ord' + 'ers']})",
        "BASE = {'base_url': 'https://api.shop.dev'}\nc = {'client': {**BASE}, 'resources': [*['orders']]}",
        "c = {'client': dict(base_url='https://api.shop.dev'), 'resources': [] + ['orders']}",
        "one = {'client': {'base_url': 'https://api.shop.dev'}}\nrest_api_source(one | {'resources': ['orders']})",
    ],
)
def test_python_is_read_as_what_it_says(source: str) -> None:
    assert python(source).config == CONFIG


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shop.json", json.dumps(CONFIG)),
        ("shop.json", json.dumps({"source": {"config": CONFIG}})),
        ("shop.yaml", "client:\n  base_url: https://api.shop.dev\nresources: [orders]\n"),
        (
            "shop.yml",
            "sources:\n  shop:\n    client: {base_url: 'https://api.shop.dev'}\n    resources:\n    - orders\n",
        ),
        (
            "shop.md",
            f"# Shop\n\nProse with `client` and resources.\n\n```python\nrest_api_source({LITERAL})\n```\nMore.\n",
        ),
        ("shop.md", f"~~~json\n{json.dumps(CONFIG)}\n~~~\n"),
        ("shop.md", "```yaml\nclient:\n  base_url: https://api.shop.dev\nresources: [orders]\n```\n"),
        ("shop.txt", f"```\nconfig = {LITERAL}\n```"),
        ("shop.md", f"```console\n$ dlt init\n```\n\n```py\nconfig = {LITERAL}\n```"),
        ("notes", f"config = {LITERAL}"),
    ],
)
def test_documents_of_every_kind_are_read(name: str, text: str) -> None:
    assert parse_document(text, name).config == CONFIG


def test_a_configuration_is_found_at_its_line_with_its_name_and_the_others_are_told() -> None:
    block = f"rest_api_source({LITERAL}, name='shop')"
    found = parse_document(f"# One\n\n```python\n{block}\n```\n\n```python\n{block}\n```\n", "shop.md")
    assert (found.line, found.name, found.others) == (4, "shop", (8,))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("dlt.secrets['api_token']", Setting("api_token", secret=True)),
        ("dlt.secrets['sources.shop.api_token']", Setting("api_token", secret=True)),
        ("dlt.config['start_date']", Setting("start_date")),
        ("dlt.secrets.value", Setting("", secret=True)),
        ("dlt.secrets.get('api_token')", Setting("api_token", secret=True)),
        ("os.environ['SHOP_TOKEN']", Setting("shop_token", secret=True)),
        ("os.environ['SOURCES__SHOP__API_TOKEN']", Setting("api_token", secret=True)),
        ("os.getenv('SHOP_TOKEN', '')", Setting("shop_token", secret=True)),
        ("f\"Bearer {dlt.secrets['token']}\"", Joined(("Bearer ", Setting("token", secret=True)))),
        ("'Bearer ' + os.environ['TOKEN']", Joined(("Bearer ", Setting("token", secret=True)))),
        (
            "BearerTokenAuth(token=dlt.secrets['t'])",
            Called("BearerTokenAuth", (), {"token": Setting("t", secret=True)}, 2),
        ),
        ("datetime.now().isoformat()", Unreadable("datetime.now().isoformat()", 2)),
        ("lambda value: value + 1", Unreadable("lambda value: value + 1", 2)),
        ("[name for name in open('/etc/passwd')]", Unreadable("[name for name in open('/etc/passwd')]", 2)),
        ("__import__('os').system('touch /tmp/pwned')", Unreadable("__import__('os').system('touch /tmp/pwned')", 2)),
        ("NOWHERE", Unreadable("NOWHERE", 2)),
    ],
)
def test_settings_are_named_and_what_only_running_would_tell_is_not_read(written: str, value: Any) -> None:
    found = python(f"config = {{'resources': ['orders'], 'client':\n {{'x': {written}}}}}")
    assert found.config["client"] == {"x": value}


def test_a_parameter_of_the_source_is_the_setting_that_dlt_fills_it_with() -> None:
    source = (
        "def shop(token: str = dlt.secrets.value, size=50):\n"
        "    yield rest_api_source({'client': {'t': token}, 'resources': [size]})"
    )
    assert python(source).config == {"client": {"t": Setting("token", secret=True)}, "resources": [50]}


@pytest.mark.parametrize(
    "source",
    [
        "size = 1\nsize = 2\nc = {'client': {}, 'resources': [size]}",
        "size = 1\nsize += 1\nc = {'client': {}, 'resources': [size]}",
        "for size in (1, 2):\n    c = {'client': {}, 'resources': [size]}",
        "size = size\nc = {'client': {}, 'resources': [size]}",
    ],
)
def test_a_name_whose_value_changes_is_not_guessed(source: str) -> None:
    assert isinstance(python(source).config["resources"][0], Unreadable)


def test_settings_in_json_and_yaml_are_named_as_texts() -> None:
    auth = "{token: '${SHOP_TOKEN}', other: 'dlt.secrets[\"key\"]'}"
    text = f"client:\n  auth: {auth}\nresources: []\nsince: 2024-01-01T00:00:00Z\n"
    found = parse_document(text, "shop.yaml").config
    assert found["client"]["auth"] == {
        "token": Setting("shop_token", secret=True),
        "other": Setting("key", secret=True),
    }
    assert found["since"] == "2024-01-01T00:00:00Z"


def test_fields_in_the_prose_around_a_configuration_are_read() -> None:
    prose = "## Orders\n\n- **Fields**:\n  - `id`: integer\n  - `tags`: array\n  - `note`: string\n"
    text = f"```python\nc = {LITERAL}\n```\n{prose}"
    assert parse_document(text, "shop.md").fields == {"Orders": {"id": "bigint", "tags": "json", "note": "text"}}


DEEP = 100_000
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {a1: 1, a2: 2, a3: 3}\n" + "".join(
    f"{name}: &{name}\n  <<: [{','.join([f'*{before}'] * 50)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "deep lists in Python": ("a.py", f"c = {'[' * DEEP}{']' * DEEP}"),
    "deep calls in Python": ("a.py", f"c = {'f(' * DEEP}{')' * DEEP}"),
    "deep signs in Python": ("a.py", f"c = {'-' * DEEP}1"),
    "a long sum in Python": ("a.py", f"c = {'+'.join(['1'] * DEEP)}"),
    "a long chain in Python": ("a.py", "c = a" + ".b" * DEEP),
    "names that double": (
        "a.py",
        "a0 = ['x' * 9]\n"
        + "".join(f"a{n + 1} = [*a{n}, *a{n}]\n" for n in range(60))
        + "c = {'client': {}, 'resources': a60}",
    ),
    "texts that double": (
        "a.py",
        "a0 = 'xxxxxxxxxx'\n"
        + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(60))
        + "c = {'client': {}, 'resources': [a60]}",
    ),
    "many words in Python": ("a.py", "c = [" + "1," * 900_000 + "]"),
    "a NUL in Python": ("a.py", "c = {'client': {}, 'resources': []}\0"),
    "broken Python": ("a.py", "c = {"),
    "deep JSON": ("a.json", "[" * DEEP + "]" * DEEP),
    "a long number": ("a.json", '{"client": {}, "resources": [' + "9" * 10_000 + "]}"),
    "broken JSON": ("a.json", '{"client": '),
    "many values in JSON": ("a.json", '{"client": {}, "resources": [' + "1," * 400_000 + "1]}"),
    "deep YAML": ("a.yaml", "[" * DEEP + "]" * DEEP),
    "deep dashes in YAML": ("a.yaml", "- " * DEEP + "x"),
    "aliases in YAML": ("a.yaml", BOMB + "client: {}\nresources: *i\n"),
    "merges in YAML": ("a.yaml", MERGES + "client: {}\nresources: [*i]\n"),
    "a circle in YAML": ("a.yaml", "client: {}\nresources: &a [*a]\n"),
    "an object of Python in YAML": ("a.yaml", "client: !!python/object/apply:os.system ['true']\nresources: []\n"),
    "a key that is a list": ("a.yaml", "client: {}\nresources: []\n? [1, 2]\n: x\n"),
    "broken YAML": ("a.yaml", "client: [\n"),
    "no configuration": ("a.md", "# Nothing\n\n```python\nprint('hello')\n```\n"),
    "a heading of spaces": ("a.md", "#" + " " * 1_000_000 + "x\n"),
    "an empty file": ("a.py", ""),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_and_broken_files_end_in_one_line_within_seconds(case: str) -> None:
    name, text = HOSTILE[case]
    began = time.monotonic()
    with pytest.raises(UnreadableDocument) as raised:
        found = parse_document(text, name)
        pytest.fail(f"{case}: read as {str(found)[:200]}")
    assert time.monotonic() - began < 20
    assert str(raised.value).startswith(name)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_files_that_are_too_large_or_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    for name, why in {"large.py": "larger than", "binary.py": "not UTF-8", "absent.py": "No such file"}.items():
        with pytest.raises(UnreadableDocument, match=why):
            read_document(tmp_path / name)
