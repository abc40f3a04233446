"""`platform-assets state` moves what is loaded, says what it moved, and ends with the right exit code."""

from pathlib import Path

import pytest

from platform_assets.sandbox import SandboxServer
from tests.cli.command import command
from tests.cli.test_json import document
from tests.settings import sandbox_settings
from tests.warehouse_rows import query


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loaded") / "warehouse.duckdb"


@pytest.fixture(scope="module")
def env(file: Path) -> dict[str, str]:
    """Settings of a warehouse with one table."""
    with SandboxServer() as server:
        settings = {**sandbox_settings(server), "DESTINATION__DUCKDB__CREDENTIALS": str(file)}
        done = command("sync", "--no-models", "--select", "load_testing/organizations", env=settings)
        assert done.returncode == 0, done.stderr
    return settings


@pytest.mark.slow
def test_an_export_is_listed_and_imported_elsewhere_where_models_are_then_due(
    env: dict[str, str], tmp_path: Path
) -> None:
    folder, other = tmp_path / "export", tmp_path / "other.duckdb"
    done = command("state", "export", str(folder), env=env)
    assert done.returncode == 0 and "1 platform exported" in done.stdout and done.stderr == "", done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("load_testing"))
    assert line.split()[1:3] == ["1", "5"]
    there = {**env, "DESTINATION__DUCKDB__CREDENTIALS": str(other)}
    found = document("state", "import", str(folder), env=there)
    assert found["ok"] and found["platforms"][0]["tables"] == [{"table": "organizations", "rows": 5}]
    assert query(other, "SELECT count(*) FROM load_testing.organizations") == [(5,)]
    again = document("state", "import", str(folder), env=there, code=1)
    assert "has been loaded already" in again["platforms"][0]["error"]
    done = command("state", "import", str(folder), "-p", "load_testing", "--replace", env=there)
    assert done.returncode == 0 and "1 platform imported" in done.stdout, done.stderr
    with SandboxServer() as server:
        done = command("sync", "--select", "load_testing/organizations", env={**there, **sandbox_settings(server)})
    assert done.returncode == 0, done.stderr
    assert query(other, "SELECT count(*) FROM staging.stg_load_testing__organizations") == [(5,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("export", "{empty}/e", "-p", "crm"), "error: crm: the warehouse has nothing of it"),
        (("export", "{full}", "-p", "load_testing"), "exists already"),
        (("import", "{empty}/none"), "there is no folder"),
        (("import", "{empty}"), "has no export in it"),
        (("import", "{full}"), "manifest.json cannot be read"),
        (("import", "{unknown}"), "no platform is called"),
    ],
)
def test_what_cannot_be_moved_is_one_line_and_exit_code_1(
    arguments: tuple[str, ...], reason: str, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "load_testing").mkdir(parents=True)
    (tmp_path / "full" / "load_testing" / "file").touch()
    (tmp_path / "unknown" / "payroll").mkdir(parents=True)
    places = {name: str(tmp_path / name) for name in ("empty", "full", "unknown")}
    done = command("state", *(argument.format(**places) for argument in arguments), env=env)
    assert done.returncode == 1 and reason in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
