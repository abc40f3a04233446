"""The five documents that people keep: what is written of them is what we declared by hand, or the report says why.

The oracle is `platform_assets/platforms`, written by hand from the same documents and the live vendors' contracts.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform, Resource
from platform_assets.http.client import ApiClient
from platform_assets.importing.completion import complete
from platform_assets.importing.dlt_config import Imported, import_document
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.cli.command import ROOT
from tests.databases import fetch
from tests.importing.dlt_documents import read_document
from tests.tiers import only

CONFIGS = Path(__file__).parent / "configs"
# Beside the checkout, where the project's specification is.
SHARED = ROOT.parent / "shared" / "configs"
NAMES = ("ci_analytics", "crm", "device_management", "error_tracking", "load_testing")

# What differs (platform, resource or `*`, what) -> words of the finding that the report prints for that resource.
ACCEPTED = {
    ("ci_analytics", "*", "paginator"): "`per_page=5` is sent",
    ("ci_analytics", "access_token", "paginator"): "is called like one thing, and read as a list",
    ("ci_analytics", "access_token", "key"): "`id` is from `resource_defaults`",
    ("ci_analytics", "*", "cursor"): "no cursor is declared",
    ("crm", "*", "paginator"): "the page size 50 is assumed and never sent",
    ("crm", "*", "key"): "`id` is from `resource_defaults`",
    ("crm", "*", "cursor"): "no cursor is declared",
    ("error_tracking", "*", "cursor"): "no cursor is declared",
    ("load_testing", "*", "cursor"): "no cursor is declared",
}


# Columns that differ from load to load, and one that the live vendor's contract asks for, which no document has.
ANEW = ("_dlt_load_id", "_dlt_id", "_loaded_at", "_deleted_at")


def imported(name: str) -> Imported:
    return import_document(read_document(CONFIGS / f"{name}.md"), name)


@pytest.mark.parametrize("name", NAMES)
def test_the_documents_here_are_those_that_people_gave(name: str) -> None:
    original = SHARED / f"{name}.md"
    if not original.exists():
        pytest.skip("the original documents are not on this machine")
    assert (CONFIGS / f"{name}.md").read_bytes() == original.read_bytes()


def differences(platform: Platform, declared: Platform) -> Iterator[tuple[str, str]]:
    """(resource, what) of everything that was imported otherwise than it is declared by hand."""
    assert {one.name for one in platform.resources} == {one.name for one in declared.resources}
    for one in platform.resources:
        mine, theirs = _facts(platform, one), _facts(declared, declared.resource(one.name))
        yield from ((one.name, what) for what, value in mine.items() if value != theirs[what])


def _facts(platform: Platform, resource: Resource) -> dict[str, object]:
    incremental = resource.endpoint.incremental
    return {
        "path": resource.endpoint.path,
        "selector": platform.data_selector_of(resource),
        "paginator": platform.paginator_of(resource),
        "key": platform.primary_key_of(resource),
        "parent": resource.endpoint.parents,
        "cursor": incremental and (incremental.cursor_path, incremental.start_param, incremental.bounded),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_difference_from_what_we_declared_by_hand_is_in_the_report_with_its_reason(name: str) -> None:
    found = imported(name)
    unused = {key for key in ACCEPTED if key[0] == name}
    for resource, what in differences(found.platform, platform_named(name)):
        key = next((key for key in ((name, resource, what), (name, "*", what)) if key in ACCEPTED), None)
        assert key is not None, f"{resource}: {what} differs, and nothing says why"
        reasons = [one.why for one in found.findings if one.resource == resource]
        assert any(ACCEPTED[key] in reason for reason in reasons), (resource, what, reasons)
        unused.discard(key)
    assert not unused


@pytest.mark.parametrize("name", NAMES)
def test_with_the_platform_that_we_have_nothing_is_left_to_say_about_cursors_and_keys(name: str) -> None:
    declared = platform_named(name)
    found = complete(imported(name), declared)
    assert {what for _, what in differences(found.platform, declared)} <= {"paginator"}
    assert not found.untyped


@pytest.mark.parametrize("name", only(["load_testing"], NAMES, slow=[name for name in NAMES if name != "load_testing"]))
def test_the_imported_platform_loads_the_same_rows_from_the_sandbox(
    name: str, shared_sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = platform_named(name)
    own, theirs = tmp_path / "imported.duckdb", tmp_path / "declared.duckdb"
    load(complete(imported(name), declared).platform, name, shared_sandbox, own, monkeypatch)
    load(declared, name, shared_sandbox, theirs, monkeypatch)
    for resource in declared.resources:
        # The child's column is called after the parent and its field, which are the same.
        assert table(own, name, resource.name) == table(theirs, name, resource.name), resource.name


def load(platform: Platform, name: str, sandbox: SandboxServer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load every resource of a platform from the sandbox's platform called `name` into a file."""
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(file))
    token = sandbox.token(name)
    settings = Settings(
        base_url=sandbox.base_url(name),
        token=token,
        secrets=dict.fromkeys(platform.client.auth.secrets, token),
        backoff_factor=0.0,
    )
    for children in (False, True):
        names = tuple(one.name for one in platform.resources if (one.parent is not None) is children)
        if names:
            with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
                outcomes = sync(client, warehouse, Selection(names))
            assert not {one.name: one.error for one in outcomes if one.error}


def table(file: Path, schema: str, name: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows of a table, both sorted; without what every load has anew."""
    names, rows = fetch(file, f'SELECT * FROM "{schema}"."{name}"')
    shown = sorted((one, place) for place, one in enumerate(names) if one not in ANEW)
    return [one for one, _ in shown], sorted((tuple(row[place] for _, place in shown) for row in rows), key=repr)
