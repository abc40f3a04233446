"""`--json` prints one document on stdout and nothing else, with the keys that docs/commands.md lists."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT, command, warm_command
from tests.settings import sandbox_settings

SECTIONS = (ROOT / "docs" / "commands.md").read_text().split("\n### ")


def documented(name: str) -> set[str]:
    """The keys that the command's section lists for any of its objects."""
    (section,) = [one for one in SECTIONS if one.startswith(f"`{name} ")]
    # Names inside the objects `counts`, `not_synced_yet` and `not_verified` are values, not keys.
    return {"missing", "extra", "changed"} | set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE))


def document(*args: str, env: dict[str, str], code: int = 0) -> dict[str, Any]:
    # Cold where it writes the most: what an import prints would be in the document, too.
    run = command if "load_testing/organizations" in args and args[0] == "sync" else warm_command
    done = run(*args, "--json", env=env)
    assert done.returncode == code, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert keys(found) <= documented(args[0])
    return found


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set[str]().union(*map(keys, value)) if isinstance(value, list) else set()


@pytest.mark.slow
def test_sync_status_verify_and_check(warehouse_file: Path) -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        # With the models: dbt's own lines must not be in the document.
        done = document("sync", "--select", "load_testing/organizations", env=env)
        assert done["ok"] and done["models"] > 0 and done["failures"] == []
        assert sum(done["phases"].values()) == pytest.approx(done["seconds"])
        assert done["phases"]["loading"] > 0 and done["phases"]["models"] > 0 and done["phases"]["dagster"] > 0
        (asset,) = done["assets"]
        assert (asset["asset"], asset["landed"], asset["rows_loaded"]) == ("load_testing/organizations", True, 5)
        states = {one["asset"]: one["state"] for one in document("status", env=env)["assets"]}
        assert states["load_testing/organizations"] == "ok" and states["crm/deals"] == "never loaded"
        assert document("verify", "--select", "load_testing/organizations", env=env)["ok"]
        found = {one["subject"]: one["ok"] for one in document("check", env=env)["findings"]}
        assert found["load_testing"] and found["warehouse"] and found["dagster home"]


@pytest.mark.slow
def test_a_failure_is_in_the_document_and_in_the_exit_code() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        "SOURCES__CRM__BASE_URL": f"http://127.0.0.1:{port}",
        "SOURCES__CRM__API_TOKEN": "t",
        "SOURCES__CRM__BACKOFF_FACTOR": "0",
    }
    done = document("sync", "--select", "crm/roles", "--no-models", env=env, code=1)
    assert not done["ok"] and not done["assets"][0]["landed"] and "crm" in done["failures"][0]
    found = document("check", "--platform", "crm", env=env, code=1)
    assert not found["ok"] and not found["findings"][0]["ok"] and found["findings"][0]["subject"] == "crm"


@pytest.mark.parametrize("name", ["sandbox", "dev"])
@pytest.mark.parametrize("port", ["80000", "0"])
def test_a_port_that_does_not_exist_is_refused(name: str, port: str) -> None:
    done = command(name, "--port", port)
    assert done.returncode == 2 and "'--port'" in done.stderr and done.stdout == ""


def test_a_port_in_use_is_refused_before_the_ui_or_a_sandbox_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = str(used.getsockname()[1])
        for name in ("sandbox", "dev"):
            done = command(name, "--port", port)
            assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
            assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another port" in done.stderr
    assert not (tmp_path / "dagster_home").exists()


def test_the_version_is_the_packages() -> None:
    done = command("--version")
    assert done.returncode == 0 and re.fullmatch(r"platform-assets \d+\.\d+\.\d+\S*\n", done.stdout)
