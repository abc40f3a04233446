"""A platform that was written, as YAML or as Python, reads back as an equal one."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_assets import declarations
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Configured,
    Contract,
    Endpoint,
    Freshness,
    Incremental,
    Platform,
    PlatformAssetsError,
    Resolve,
    Resource,
    SinglePage,
    Template,
)
from platform_assets.declarations.strict import strict
from platform_assets.platform_files import as_python, as_yaml, read_platform
from platform_assets.platform_files.document import parse
from platform_assets.platform_files.durations import format_duration, parse_duration
from platform_assets.platform_files.reader import _Reader, parse_platform
from platform_assets.platform_files.writer import _document, _Dumper
from platform_assets.platforms import all_platforms

SHOP = Platform(
    name="shop",
    title="Shop",
    description="Orders.",
    client=Client(auth=BearerAuth(), probe="/orders", paginator=SinglePage()),
    resources=(
        Resource(name="orders", description="Orders.", endpoint=Endpoint(path="/orders"), columns={"id": "text"}),
    ),
)


def described(text: str) -> Platform:
    return replace(SHOP, description=text, column_descriptions={"id": text if text.strip() else "x"})


def executed(source: str) -> Platform:
    namespace: dict[str, object] = {}
    exec(compile(source, "shop.py", "exec"), namespace)
    found = namespace["PLATFORM"]
    assert isinstance(found, Platform)
    return found


@pytest.mark.parametrize("platform", all_platforms(), ids=lambda platform: platform.name)
def test_every_platform_reads_back_from_yaml_and_from_python(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / f"{platform.name}.yaml"
    file.write_text(as_yaml(platform))
    assert read_platform(file) == platform
    assert executed(as_python(platform)) == platform


def test_python_is_formatted_and_has_its_imports_only(tmp_path: Path) -> None:
    (crm,) = (one for one in all_platforms() if one.name == "crm")
    file = tmp_path / "crm.py"
    file.write_text(as_python(crm))
    for arguments in (["format", "--check"], ["check", "--select", "I,F,E"]):
        command = [sys.executable, "-m", "ruff", arguments[0], "--isolated", "--line-length", "120", *arguments[1:]]
        subprocess.run([*command, str(file)], check=True, capture_output=True)


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert as_yaml(SHOP) == (
        "name: shop\ntitle: Shop\ndescription: Orders.\nclient:\n  auth: bearer_auth\n  probe: /orders\n"
        "  paginator: single_page\nresources:\n  - name: orders\n    description: Orders.\n    endpoint:\n"
        "      path: /orders\n    columns:\n      id: text\n"
    )


def test_templates_of_requests_stay_templates() -> None:
    endpoint = Endpoint(
        path="/{+folder}/search",
        base_url=Template("https://{{ config.region }}.example.com"),
        method="POST",
        params={"folder": Template("{{ config.folder }}"), "value:org": Configured("org")},
        headers={"X-Org": Template("{{ parent.org }}")},
        json={"q": [Template("{{ interval.start }}"), "012"], "type": "template"},
        incremental=Incremental(
            cursor_path="at", start_param="value:start", initial_value=Template("{{ day_delta(-1) }}")
        ),
    )
    orders = replace(SHOP.resources[0], endpoint=endpoint, columns={"id": "text", "at": "timestamp"})
    address = Template("https://{{ config.sub }}.example.com")
    contract = Contract(client=SHOP.client, base_url=address)
    platform = replace(SHOP, resources=(orders,), base_url=address, contracts={"live": contract})
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform
    assert executed(as_python(platform)) == platform


def test_a_platform_with_a_contract_applied_is_written_as_declared() -> None:
    (crm,) = (one for one in all_platforms() if one.name == "crm")
    applied = crm.with_contract("pipedrive")
    assert parse_platform(as_yaml(applied), "crm.yaml") == crm
    assert executed(as_python(applied)) == crm


DOUBTFUL = (
    "yes",
    "NO",
    "on",
    "1e3",
    "012",
    "0o17",
    "0x1F",
    "null",
    "~",
    "",
    "2024-01-01",
    "1:30",
    "1_000",
    ".inf",
    "=",
)


@pytest.mark.parametrize(
    "text", [*DOUBTFUL, " leading", "trailing ", "a: b", "- x", "# no", "'", '"', "\\", "<<", "ü\U0001f600"]
)
def test_texts_that_yaml_would_change_stay(text: str) -> None:
    platform = described(text)
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform
    assert executed(as_python(platform)) == platform


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_stays(text: str) -> None:
    platform = described(text)
    assert parse_platform(as_yaml(platform), "shop.yaml") == platform
    assert executed(as_python(platform)) == platform


@settings(max_examples=60)
@given(st.text("0123456789+-.eExob_:aynYNrtTfuslo ~=", max_size=8))
def test_no_other_reader_of_yaml_takes_a_written_text_for_something_else(text: str) -> None:
    assert yaml.safe_load(as_yaml(described(text)))["description"] == text


@given(st.timedeltas())
def test_durations_stay(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m", 300), ("26h", 93600), ("3d", 259200), ("1w", 604800), ("1h30m", 5400), ("0.5s", 0.5)]
)
def test_durations_are_written_as_people_do(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "1.5h", "-", "9" * 60 + "d", "999999999999d", "5m5h"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_every_class_that_a_file_can_name_can_be_imported_from_declarations() -> None:
    source = as_python(replace(SHOP, freshness=Freshness(allowed_lag=timedelta(hours=1))))
    line = next(line for line in source.splitlines() if line.startswith("from platform_assets"))
    assert "Freshness" in line and "Freshness" in declarations.__all__


@strict
@dataclass(frozen=True, kw_only=True)
class Body:
    """A declaration with a free value, as a request's body has it."""

    json: Mapping[str, Any]


def test_declarations_stay_inside_a_free_value() -> None:
    body = Body(json={"filter": {"owner": Resolve("owners", "id"), "type": "resolve", "n": [1, None, "012"]}, "x": 1.5})
    text = yaml.dump(_document(body, Body), Dumper=_Dumper)
    assert _Reader("body.yaml").declaration(parse(text, "body.yaml"), Body, skip_type=False) == body
    with pytest.raises(PlatformAssetsError, match="would be read as a declaration"):
        _document(Body(json={"a": {"type": "resolve", "resource": "owners", "field": "id"}}), Body)
