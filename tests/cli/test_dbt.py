"""`platform-assets dbt` runs dbt on the warehouse of the settings, and makes a user of one platform a whole user."""

import json
from pathlib import Path

import pytest

from platform_assets.cli.dbt import dbt_command
from platform_assets.sandbox import SandboxServer
from platform_assets.warehouse.location import exclusive
from tests.cli.command import command
from tests.conftest import Sync
from tests.settings import PointAt
from tests.warehouse_rows import query


def results(target: Path) -> dict[str, str]:
    found = json.loads((target / "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in found}


@pytest.mark.slow
def test_a_user_of_one_platform_builds_all_of_it(
    point_at: PointAt, sync_platform: Sync, shared_sandbox: SandboxServer, warehouse_file: Path, tmp_path: Path
) -> None:
    """What is built is in the warehouse of the settings; nothing fails or is skipped; then one table of another."""
    point_at(shared_sandbox)
    sync_platform("load_testing")
    words = ("dbt", "build", "--target-path", str(tmp_path / "target"))
    done = command(*words)
    assert done.returncode == 0, done.stdout
    assert set(results(tmp_path / "target").values()) <= {"success", "pass", "warn"}
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("not loaded, so left out with ")
    assert "crm" in done.stderr and "load_testing" not in done.stderr
    assert query(warehouse_file, "SELECT DISTINCT platform FROM marts.platform_health") == [("load_testing",)]
    before = results(tmp_path / "target")

    sync_platform("crm", ["currencies"])
    done = command(*words)
    assert done.returncode == 0, done.stdout
    assert results(tmp_path / "target").keys() > before.keys()
    assert "crm/deals" in done.stderr and "crm/currencies" not in done.stderr
    some = command(*words, "--select", "staging.crm")
    assert some.returncode == 0, some.stdout
    assert {name.split(".")[2] for name in results(tmp_path / "target") if name.startswith("model")} == {
        "stg_crm__currencies"
    }
    fresh = command("dbt", "source", "freshness", "--target-path", str(tmp_path / "target"))
    assert fresh.returncode == 0, fresh.stdout
    assert query(warehouse_file, "SELECT count(*) > 0 FROM staging.stg_crm__currencies") == [(True,)]


@pytest.mark.slow
def test_words_options_and_the_exit_code_are_passed_on(warehouse_file: Path) -> None:
    shown = command("dbt", "ls", "--select", "stg_crm__deals", "--output", "name", "--quiet")
    assert (shown.returncode, shown.stdout.strip().splitlines()[0]) == (0, "stg_crm__deals")
    assert "Usage: dbt build" in command("dbt", "build", "--help").stdout
    assert command("dbt", "ls", "--nonsense").returncode == 2
    assert not warehouse_file.exists()


def test_a_build_without_a_warehouse_is_one_line(warehouse_file: Path) -> None:
    done = command("dbt", "build")
    assert done.returncode == 1 and not warehouse_file.exists()
    assert done.stderr == f"error: there is no warehouse at {warehouse_file} yet: `platform-assets sync` makes it\n"


def test_a_build_waits_for_a_sync(warehouse_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__LOCK_WAIT", "1")
    with exclusive("crm"):
        held = command("dbt", "run-operation", "nothing")
    assert held.returncode == 1 and "\nerror: another process kept" in held.stderr, held.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("build -s staging.crm", "build"),
        ("--no-use-colors build", "build"),
        ("--log-level debug test", "test"),
        ("source freshness", "source"),
        ("--version", None),
        ("", None),
    ],
)
def test_the_command_among_the_words(words: str, name: str | None) -> None:
    assert dbt_command(words.split()) == name
