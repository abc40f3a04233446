"""The command as a user runs it: exit codes, one clear line per problem, no token in any output."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from platform_assets.cli.app import app
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import FakeBackend, Fault, SandboxServer, expected_rows
from tests.cli.command import command, warm_command
from tests.settings import sandbox_settings
from tests.warehouse_rows import query


@pytest.mark.slow  # without the models: test_sixth_platform.py; every row of each platform: sync/test_equality.py
def test_sync_of_everything_from_another_server(warehouse_file: Path) -> None:
    with SandboxServer() as server:
        done = command("sync", env=sandbox_settings(server))
        assert done.returncode == 0, done.stderr
        count = sum(len(platform.resources) for platform in all_platforms())
        assert f"{count} of {count} assets" in done.stdout
        for platform, tables in expected_rows(server.backend).items():
            for resource, records in tables.items():
                assert query(warehouse_file, f"SELECT count(*) FROM {platform}.{resource}") == [(len(records),)]
        status = command("status")
        assert status.returncode == 0 and "crm/mail_threads" in status.stdout
        check = command("check", env=sandbox_settings(server))
        assert check.returncode == 0 and check.stdout.count(": ok") == len(all_platforms()) + 2


@pytest.mark.slow
def test_select_parent_and_partition() -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        first = warm_command("sync", "--select", "crm/deals", "--no-models", env=env)
        assert first.returncode == 0, first.stderr
        before = len(server.requests)
        done = warm_command("sync", "--select", "crm/deal_products", "--parent", "17", "--no-models", env=env)
        assert done.returncode == 0, done.stderr
        assert [request["path"] for request in server.requests[before:]] == ["/crm/v1/deals/17/products"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["sync"], "SOURCES__CI_ANALYTICS__BASE_URL"),
        pytest.param(["sync", "--platform", "nobody"], "no platform is called 'nobody'", marks=pytest.mark.slow),
        pytest.param(["sync", "--select", "crm/deels"], "no asset is called 'crm/deels'", marks=pytest.mark.slow),
        (["sync", "--select", "deals"], "did you mean `crm/deals`?"),
        pytest.param(["check", "--platform", "crm"], "SOURCES__CRM__BASE_URL", marks=pytest.mark.slow),
        (["check"], "platform-assets sync --sandbox"),
    ],
)
def test_bad_input_is_a_one_line_error(args: list[str], expected: str, warehouse_file: Path) -> None:
    done = command(*args)
    assert done.returncode != 0
    assert expected in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr
    assert not warehouse_file.exists()


def test_check_says_once_that_nothing_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 1
    first, second, *others = done.stdout.splitlines()
    assert first.startswith("platforms: NOT OK: none is configured; `platform-assets sync --sandbox`")
    assert "docs/leave-the-sandbox.md" in second and max(len(first), len(second)) <= 120
    assert [line.split(":")[0] for line in others] == ["warehouse", "dagster home"]
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", "mine")
    assert "crm: NOT OK: setting `base_url` is missing" in CliRunner().invoke(app, ["check"]).stdout


def test_a_platform_without_settings_is_told_its_contract_and_reported_once() -> None:
    done = command("verify", "--platform", "load_testing")
    assert done.returncode == 1
    line, last = done.stdout.splitlines()
    assert last.startswith("0 of 3 assets") and done.stderr == "", "no table of zeros"
    assert line.startswith("load_testing/organizations and 2 more: not verified: setting `base_url`")
    assert "set SOURCES__LOAD_TESTING__CONTRACT to `grafana_k6`" in line and "SOURCES__LOAD_TESTING__BASE_URL" in line


def test_a_rejected_token_is_reported_without_showing_it(warehouse_file: Path) -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server, token="hush-s3cret")
        done = warm_command("sync", "--platform", "crm", "--no-models", env=env)
        output = done.stdout + done.stderr
        assert done.returncode == 1 and "SOURCES__CRM__API_TOKEN" in output
        (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("crm ")]
        assert row[1] == "0" and float(row[-1]) > 0, "how long it took to fail"
        assert "hush-s3cret" not in output and "Traceback" not in output
        check = warm_command("check", "--platform", "crm", env=env)
        assert check.returncode == 1 and "NOT OK" in check.stdout and "hush-s3cret" not in check.stdout
        for file in warehouse_file.parent.rglob("*"):
            assert not file.is_file() or b"hush-s3cret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("selected", "said"),
    [
        (["--select", "crm/deals", "--select", "crm/deal_products", "--select", "crm/mail*"], "2 of 4 assets"),
        pytest.param(["--platform", "crm"], "24 of 26 assets", marks=pytest.mark.slow),
    ],
    ids=["four", "all"],
)
def test_a_failed_resource_blocks_only_its_children(selected: list[str], said: str, warehouse_file: Path) -> None:
    """Deals cannot be read, so their products are reported as without parents; mail does not depend on them."""
    with SandboxServer(faults=[Fault("items=deal", status=404, times=None)]) as server:
        env = sandbox_settings(server)
        done = warm_command("sync", *selected, "--no-models", env=env)
        assert done.returncode == 1 and said in done.stdout and "not served" not in done.stdout, done.stdout
        assert "crm/deals was never loaded" in done.stdout
        mails = len(expected_rows(server.backend)["crm"]["mail"])
        assert query(warehouse_file, "SELECT count(*) FROM crm.mail") == [(mails,)]
        server.faults.clear()
        done = warm_command("sync", *selected, "--no-models", env=env)
        assert done.returncode == 0 and "Open the UI" not in done.stdout, "a job without a terminal need not hear it"


def test_what_landed_of_a_table_that_failed_is_counted(warehouse_file: Path) -> None:
    """One organization's pipelines cannot be read, those of the others land."""
    path = "organizations/acme/pipelines"
    with SandboxServer(faults=[Fault(path, status=400, times=None)]) as server:
        selected = ["--select", "ci_analytics/organizations", "--select", "ci_analytics/organizations_pipelines"]
        done = warm_command("sync", *selected, "--no-models", env=sandbox_settings(server))
    assert done.returncode == 1, done.stdout
    ((landed,),) = query(warehouse_file, "SELECT count(*) FROM ci_analytics.organizations_pipelines")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.startswith("ci_analytics/")}
    assert landed > 0
    assert lines["ci_analytics/organizations_pipelines"] == ["failed", str(landed), "-"]


@pytest.mark.slow
def test_an_unknown_partition_or_parent_is_an_error() -> None:
    with SandboxServer() as server:
        env = sandbox_settings(server)
        for args in (["--partition", "nobody"], ["--parent", "nobody"]):
            selected = ["--select", "ci_analytics/organizations", "--select", "ci_analytics/organizations_pipelines"]
            done = warm_command("sync", *selected, *args, "--no-models", env=env)
            assert done.returncode == 1 and "'nobody'" in done.stdout


@pytest.mark.slow
def test_row_counts_are_compared_only_for_platforms_that_the_sandbox_served() -> None:
    """A platform with its own base_url is loaded from there and not compared with the sandbox."""
    with SandboxServer(FakeBackend.tiny()) as own:
        env = {name: value for name, value in sandbox_settings(own).items() if "__CRM__" in name}
        args = ["sync", "--sandbox", "--no-models", "--select", "crm/roles", "--select", "load_testing/organizations"]
        done = warm_command(*args, env=env)
        assert done.returncode == 0, done.stdout
        assert (
            "2 of 2 assets" in done.stdout and "Row count of 1 asset compared with the sandbox's: equal." in done.stdout
        )
