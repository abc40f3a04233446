"""What a user keeps out of the warehouse: fields that are not loaded, personal values that are loaded as hashes."""

from pathlib import Path

import pytest

from platform_assets.declarations import SettingsError
from platform_assets.extraction.connection import connect
from platform_assets.extraction.privacy import hash_fields
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer, expected_rows
from tests.conftest import Sync
from tests.settings import PointAt
from tests.warehouse_rows import query


def test_an_excluded_field_is_null_in_rows_that_were_loaded_before_too(
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    monkeypatch: pytest.MonkeyPatch,
    warehouse_file: Path,
) -> None:
    point_at(shared_sandbox)
    sync_platform("load_testing", ["tests"])
    assert query(warehouse_file, "SELECT count(script) FROM load_testing.tests")[0][0] > 0
    monkeypatch.setenv("SOURCES__LOAD_TESTING__EXCLUDE_FIELDS", "tests.script, organizations.vat_number")
    sync_platform("load_testing", ["tests"])
    assert query(warehouse_file, "SELECT count(script), count(name) > 0 FROM load_testing.tests") == [(0, True)]
    assert sync_platform("load_testing", ["tests"])["tests"].rows_loaded == 0


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("script", "is not `<resource>.<field>`"),
        ("testz.script", "is not `<resource>.<field>`"),
        ("tests.id", "is needed to load"),
        ("tests.updated", "is needed to load"),
        ("organizations.id", "is needed to load"),
    ],
)
def test_what_loading_needs_cannot_be_excluded(
    entry: str, problem: str, shared_sandbox: SandboxServer, point_at: PointAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(shared_sandbox)
    monkeypatch.setenv("SOURCES__LOAD_TESTING__EXCLUDE_FIELDS", entry)
    with pytest.raises(SettingsError, match=problem):
        connect(platform_named("load_testing"))


def test_personal_values_are_loaded_as_hashes_and_never_as_they_are(
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    monkeypatch: pytest.MonkeyPatch,
    warehouse_file: Path,
) -> None:
    point_at(shared_sandbox)
    monkeypatch.setenv("SOURCES__CRM__PERSONAL_SALT", "pepper")
    sync_platform("crm", ["users", "persons"])
    served = expected_rows(shared_sandbox.backend)["crm"]["users"]
    loaded = query(warehouse_file, "SELECT id, email, default_currency FROM crm.users")
    assert {row[0]: row[2] for row in loaded} == {one["id"]: one["default_currency"] for one in served}
    assert {len(row[1]) for row in loaded} == {32}
    assert len({row[1] for row in loaded}) == len({one["email"] for one in served})
    content = warehouse_file.read_bytes()
    assert not [one["email"] for one in served if one["email"].encode() in content]
    assert b"pepper" not in content


def test_a_hash_depends_on_the_salt_and_keeps_null_and_equality() -> None:
    one, other, third = [{"a": {"x": 1, "y": 2}}, {"a": None}], [{"a": {"y": 2, "x": 1}}], [{"a": {"x": 1, "y": 2}}]
    for records, salt in ((one, "s"), (other, "s"), (third, "t")):
        hash_fields(records, ["a"], salt)
    assert one[1] == {"a": None}
    assert one[0] == other[0] != third[0]
