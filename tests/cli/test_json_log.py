"""With `[logging] format = "json"` every line of a sync on stderr is a JSON object, and none has a secret."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.log_fields import current_log_fields, log_fields
from platform_assets.sandbox import SandboxServer
from tests.cli.command import command
from tests.faults.test_secrets import encodings, secret
from tests.servers.http_server import HttpServer, Reply, Request
from tests.settings import sandbox_settings

JSON = {"LOGGING__FORMAT": "json"}
REQUIRED = {"time", "level", "logger", "message"}
KNOWN = REQUIRED | {"platform", "resource", "run_id", "exception"}


def records(text: str) -> list[dict[str, Any]]:
    """Every line of a log, each of which must be an object with the documented keys."""
    assert "\x1b" not in text
    found = [json.loads(line) for line in text.splitlines()]
    for record in found:
        assert REQUIRED <= record.keys() <= KNOWN, record
        assert datetime.now(UTC) - datetime.fromisoformat(record["time"]) < timedelta(hours=1)
        assert all(isinstance(value, str) and "\x1b" not in value for value in record.values())
    return found


@pytest.mark.slow
def test_a_sync_that_succeeds_logs_objects_with_platform_resource_and_run() -> None:
    with SandboxServer() as server:
        done = command("sync", "--select", "load_testing/organizations", env={**sandbox_settings(server), **JSON})
    assert done.returncode == 0, done.stderr
    found = records(done.stderr)
    (landed,) = (record for record in found if record.get("resource") == "organizations")
    assert landed["platform"] == "load_testing" and landed["level"] == "INFO" and len(landed["run_id"]) == 36
    assert "5 rows in table" in landed["message"]
    (models,) = (record for record in found if record["message"].startswith("dbt:"))
    assert models["run_id"] != landed["run_id"]
    assert "load_testing/organizations" in done.stdout and "{" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("level", ["", "DEBUG"])
def test_a_sync_that_fails_logs_objects_without_a_secret(level: str, tmp_path: Path) -> None:
    """The server repeats the credential, and dlt and urllib3 may log as much as they like."""
    token = secret("crm")

    def refuse(request: Request) -> Reply:
        return Reply(f"<html>{request.target} {dict(request.headers)}</html>".encode(), status=400)

    with HttpServer(refuse) as server:
        settings = {
            "SOURCES__CRM__BASE_URL": server.url,
            "SOURCES__CRM__API_TOKEN": token,
            "SOURCES__CRM__BACKOFF_FACTOR": "0",
            **({"RUNTIME__LOG_LEVEL": level} if level else {}),
            **JSON,
        }
        done = command("sync", "--select", "crm/roles", "--select", "crm/deals", "--json", env=settings)
    assert done.returncode == 1
    failed = [record for record in records(done.stderr) if record["level"] == "ERROR"]
    assert {record.get("resource") for record in failed} >= {"roles", "deals"}
    assert all("400" in record["message"] for record in failed if "resource" in record)
    assert not json.loads(done.stdout)["ok"]
    text = (done.stderr + done.stdout).encode()
    assert not [form for form in encodings(token) if form in text]


@pytest.mark.slow
def test_what_ends_the_command_at_once_is_an_object_too(tmp_path: Path) -> None:
    done = command("sync", "--select", "crm/roles", env=JSON)
    (record,) = records(done.stderr)
    assert done.returncode == 1 and record["level"] == "ERROR" and "`base_url` is missing" in record["message"]


@pytest.mark.slow
def test_an_unexpected_error_is_logged_with_its_redacted_traceback() -> None:
    code = """
import os, sys
from platform_assets.cli import json_log, main, sync
def broken(*arguments):
    os.write(2, b"printed by a child\\n")
    raise RuntimeError("no " + os.environ["SOURCES__CRM__API_TOKEN"])
sync.run_sync = broken
main()
"""
    token = secret("crm")
    settings = {"SOURCES__CRM__BASE_URL": "http://127.0.0.1:9", "SOURCES__CRM__API_TOKEN": token, **JSON}
    done = command("sync", "--select", "crm/roles", env=settings, code=code)
    assert done.returncode == 1
    by_logger = {record["logger"]: record for record in records(done.stderr)}
    assert by_logger["stderr"]["message"] == "printed by a child"
    assert "RuntimeError: no ***" in by_logger["platform_assets.cli"]["exception"]
    assert not [form for form in encodings(token) if form in done.stderr.encode()]


def test_another_format_is_an_error() -> None:
    done = command("sync", "--select", "crm/roles", env={"LOGGING__FORMAT": "xml"})
    assert done.returncode == 1 and "LOGGING__FORMAT" in done.stderr and "json" in done.stderr


def test_fields_hold_inside_their_context_only() -> None:
    with log_fields(platform="crm"):
        with log_fields(resource="deals"):
            assert current_log_fields() == {"platform": "crm", "resource": "deals"}
        assert current_log_fields() == {"platform": "crm"}
    assert current_log_fields() == {}
