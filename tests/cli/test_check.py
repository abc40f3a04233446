"""`platform-assets check` tells in one look whose account it is, what it may read, and what will end."""

import socket
import time

import pytest
from typer.testing import CliRunner

from platform_assets.cli import check as checking
from platform_assets.cli.app import app
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import Fault, SandboxServer
from tests.settings import vendor_settings


@pytest.fixture
def server(shared_sandbox: SandboxServer) -> SandboxServer:
    return shared_sandbox


def check(server: SandboxServer, monkeypatch: pytest.MonkeyPatch, contract: str, platform: str) -> str:
    for name, value in vendor_settings(server, contract).items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(app, ["check", "--platform", platform]).output


def test_a_missing_permission_is_named_with_the_resources_that_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    with SandboxServer() as server:
        token = server.backend.tables["ci_analytics"]["access_token"][0]
        token["scopes"] = [scope for scope in token["scopes"] if scope != "read_builds"]
        printed = check(server, monkeypatch, "buildkite", "ci_analytics")
    assert "ci_analytics: ok, " in printed and "contract: Buildkite v2" in printed
    assert "permission missing: read_builds, so that builds will not load" in printed
    assert "the credential expires on " in printed


def test_all_permissions_and_the_account_are_listed(server: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = check(server, monkeypatch, "buildkite", "ci_analytics")
    assert "permissions: read_builds, read_organizations, read_pipelines, read_suites" in printed
    assert "account: organizations: " in printed and "permission missing" not in printed


@pytest.mark.parametrize(
    ("contract", "platform"), [("sentry", "error_tracking"), ("ninjaone", "device_management"), ("pipedrive", "crm")]
)
def test_the_account_is_named_under_every_contract(
    contract: str, platform: str, server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = check(server, monkeypatch, contract, platform)
    assert f"{platform}: ok, " in printed and "  account: " in printed


def test_what_a_contract_does_not_serve_and_what_will_end_is_said(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not served: organizations: " in check(server, monkeypatch, "grafana_k6", "load_testing")
    printed = check(server, monkeypatch, "k6_legacy", "load_testing")
    assert "deprecated: tests: /loadtests/v2/tests; instead: GET /cloud/v6/load_tests" in printed


def test_servers_that_stay_silent_cost_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_ANSWER_WAIT", 1.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for platform in all_platforms():
            monkeypatch.setenv(
                f"SOURCES__{platform.name.upper()}__BASE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}"
            )
            monkeypatch.setenv(f"SOURCES__{platform.name.upper()}__API_TOKEN", "mine")
            monkeypatch.setenv(f"SOURCES__{platform.name.upper()}__ORGANIZATION", "acme")
        began = time.monotonic()
        printed = CliRunner().invoke(app, ["check"]).output
        assert time.monotonic() - began < 5, "one try each, all at once"
    assert printed.count("NOT OK: GET ") == 5 and printed.count("no complete answer in time") == 5, printed


def test_a_refusal_names_the_permission_and_the_others_load(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from platform_assets.extraction.connection import connect
    from platform_assets.http.errors import RequestFailed
    from platform_assets.platforms import platform_named

    with SandboxServer(faults=[Fault(r"/v2/builds", status=403)]) as server:
        for name, value in vendor_settings(server, "buildkite").items():
            monkeypatch.setenv(name, value)
        connection = connect(platform_named("ci_analytics"))
        builds = connection.platform.resource("builds").endpoint
        with connection.open_client() as client, pytest.raises(RequestFailed, match="permission `read_builds`"):
            client.get(builds.path, endpoint=builds)
