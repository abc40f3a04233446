"""`platform-assets verify` as a user runs it: exit codes, the table, the document, and a fix."""

import json
import re
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from platform_assets.cli.environment import open_instance
from platform_assets.sandbox import Fault, SandboxServer, expected_rows
from tests.cli.command import command, warm_command
from tests.settings import sandbox_settings

SELECT = ("--select", "crm/roles", "--select", "crm/leads")


@pytest.mark.slow
def test_verify_reports_differences_as_text_json_and_exit_code_and_fixes_them(warehouse_file: Path) -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        assert warm_command("sync", *SELECT, "--no-models", env=env).returncode == 0
        clean = warm_command("verify", *SELECT, env=env)
        assert clean.returncode == 0, clean.stdout + clean.stderr
        assert "2 of 2 assets as served by the API" in clean.stdout and clean.stderr == ""
        with duckdb.connect(str(warehouse_file)) as connection:
            connection.execute("UPDATE crm.roles SET name = 'x' WHERE id = (SELECT min(id) FROM crm.roles)")
        differs = warm_command("verify", *SELECT, env=env)
        first = min(role["id"] for role in expected_rows(server.backend)["crm"]["roles"])
        assert differs.returncode == 1 and f"crm/roles: changed in name: id={first}" in differs.stdout
        as_json = warm_command("verify", *SELECT, "--json", env=env)
        document = json.loads(as_json.stdout)
        assert as_json.returncode == 1 and document["ok"] is False
        roles, leads = sorted(document["assets"], key=lambda asset: asset["asset"], reverse=True)
        assert roles["counts"] == {"missing": 0, "extra": 0, "changed": 1} and leads["ok"]
        assert roles["examples"] == [{"kind": "changed", "key": {"id": first}, "columns": ["name"]}]
        fixed = warm_command("verify", *SELECT, "--fix", env={**env, "COLUMNS": "80"})
        assert fixed.returncode == 0 and "fixed: 1 written, 0 removed" in fixed.stdout, fixed.stdout + fixed.stderr
        assert "crm/leads  " in fixed.stdout and max(map(len, fixed.stdout.splitlines())) <= 80, "no name is cut"
        with open_instance() as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey(["crm", "roles"]))
            assert event is not None and event.asset_materialization is not None
            assert event.asset_materialization.metadata["rows_loaded"].value == 1, "models above it are stale now"
        assert warm_command("verify", *SELECT, env=env).returncode == 0
        server.faults.append(Fault("/v1/roles", status=404, times=None))
        failing = warm_command("verify", *SELECT, env=env)
        assert failing.returncode == 1 and "crm/roles: not verified: " in failing.stdout
        assert re.search(r"^crm/roles +- +- +- +- +- +- +\d+  not verified", failing.stdout, re.MULTILINE)
        assert "1 of 2 assets" in failing.stdout and server.token("crm") not in failing.stdout


@pytest.mark.slow
def test_bad_input_is_a_one_line_error(warehouse_file: Path) -> None:
    for args, expected in (
        (["--platform", "nobody"], "no platform is called 'nobody'"),
        (["--select", "crm/deels"], "no asset is called 'crm/deels'"),
    ):
        done = command("verify", *args)
        assert done.returncode == 1 and expected in done.stderr and "Traceback" not in done.stderr
    done = command("verify", "--select", "crm/roles", "--json")
    assert done.returncode == 1 and "SOURCES__CRM__BASE_URL" in json.loads(done.stdout)["assets"][0]["error"]
    assert not warehouse_file.exists()
