"""Another account under the same contract is refused, and settings that a contract lacks are one clear line."""

import re

import pytest

from platform_assets.cli.check import check_platforms
from platform_assets.declarations import SettingsError
from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.source_account import AnotherAccount
from tests.platforms.vendors.conftest import MakeVendor, errors
from tests.servers.http_server import HttpServer, Reply, Request
from tests.settings import Point, platform_settings
from tests.tiers import one_in

# Contract -> platform, a list that it reads, and further settings.
ACCOUNTS = {
    "buildkite": ("ci_analytics", "organizations", {}),
    "k6_legacy": ("load_testing", "organizations", {}),
    "grafana_k6": ("load_testing", "tests", {"STACK_ID": "1"}),
    "sentry": ("error_tracking", "projects", {"ORGANIZATION": "acme"}),
    "ninjaone": ("device_management", "organizations", {"CLIENT_ID": "c", "CLIENT_SECRET": "s"}),
    "pipedrive": ("crm", "users", {}),
}


def account(first: int) -> HttpServer:
    """A server of every contract with two rows in each list, whose ids no other account has."""

    def answer(request: Request) -> Reply:
        if request.path.endswith("/token"):
            return Reply({"access_token": f"bought-{first}", "expires_in": 3600})
        if {"after", "olderThan", "$skip"} & request.query.keys() and request.query.get("$skip") != "0":
            rows = []
        else:
            rows = [{"id": first + number, "name": f"N{first + number}", "slug": f"s{number}"} for number in range(2)]
        path = request.path
        if path.startswith("/cloud/"):
            return Reply({"value": rows})
        if path.startswith("/v3/"):
            return Reply({"organizations": rows})
        return Reply({"success": True, "data": rows} if path == "/v1/users" else rows)

    return HttpServer(answer)


def load(contract: str, *names: str) -> None:
    platform, resource, _ = ACCOUNTS[contract]
    connection = connect(platform_named(platform))
    with open_warehouse(connection.platform) as warehouse, connection.open_client() as client:
        for outcome in sync(client, warehouse, Selection(names or (resource,))):
            assert outcome.ok, outcome.error


@pytest.mark.parametrize("contract", one_in(6, ACCOUNTS, slow=1))
def test_the_address_of_another_account_is_refused(contract: str, point: Point) -> None:
    platform, _, more = ACCOUNTS[contract]
    with account(10) as ours, account(20) as theirs:
        point(platform, ours.url, CONTRACT=contract, **more)
        load(contract)
        point(platform, theirs.url, CONTRACT=contract, **more)
        with pytest.raises(AnotherAccount, match="holds the data of"):
            load(contract)
        point(platform, ours.url, CONTRACT=contract, **more)
        load(contract)


@pytest.mark.parametrize("contract", one_in(6, ACCOUNTS, slow=1))
def test_the_credential_of_another_account_at_the_same_address_is_refused(contract: str, point: Point) -> None:
    platform, resource, more = ACCOUNTS[contract]
    with account(10) as server, account(20) as theirs:
        point(platform, server.url, CONTRACT=contract, **more)
        load(contract)
        if contract == "grafana_k6":
            load(contract, "projects")
        server.answer = theirs.answer
        other = {"CLIENT_SECRET": "another"} if contract == "ninjaone" else {}
        point(platform, server.url, "another", CONTRACT=contract, **{**more, **other})
        with pytest.raises(AnotherAccount, match="another account"):
            load(contract, resource)


@pytest.mark.parametrize("contract", one_in(6, ACCOUNTS, slow=1))
def test_another_credential_of_the_same_account_goes_on(contract: str, point: Point) -> None:
    platform, _, more = ACCOUNTS[contract]
    with account(10) as server:
        point(platform, server.url, CONTRACT=contract, **more)
        load(contract)
        point(platform, server.url, "another", CONTRACT=contract, **more)
        load(contract)


MISSING = {
    "sentry": ("error_tracking", "organization", {"ORGANIZATION": ""}),
    "grafana_k6": ("load_testing", "stack_id", {"STACK_ID": ""}),
    "ninjaone": ("device_management", "client_secret", {"CLIENT_ID": "c", "CLIENT_SECRET": ""}),
}


@pytest.mark.parametrize("contract", MISSING)
def test_a_setting_that_the_contract_needs_is_one_clear_line(contract: str, point: Point) -> None:
    platform, setting, more = MISSING[contract]
    point(platform, "https://h.example", CONTRACT=contract, **more)
    variable = f"SOURCES__{platform.upper()}__{setting.upper()}"
    with pytest.raises(SettingsError, match=f"`{setting}` is missing.*{variable}") as caught:
        connect(platform_named(platform))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("region", "expected"), [(None, "`region` is missing"), ("mars", "must be one of app, us2")])
def test_a_missing_or_unknown_region_names_those_that_there_are(
    region: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"REGION": region} if region else {}
    for name, value in platform_settings("device_management", "", CONTRACT="ninjaone", CLIENT_ID="c", **more).items():
        if value:
            monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(expected)):
        connect(platform_named("device_management"))


def test_a_wrong_stack_is_a_clear_error_and_the_rows_stay(vendor: MakeVendor, monkeypatch: pytest.MonkeyPatch) -> None:
    api = vendor("grafana_k6")
    api.sync()
    before = api.contents_of("tests"), api.contents_of("projects")
    monkeypatch.setenv("SOURCES__LOAD_TESTING__STACK_ID", "4712")
    refused = errors(api.sync())
    assert set(refused) == {"tests", "projects"}
    assert all("403" in text and "not good for this stack" in text for text in refused.values())
    assert (api.contents_of("tests"), api.contents_of("projects")) == before


def test_a_header_takes_one_value(point: Point) -> None:
    point("load_testing", "https://h.example", CONTRACT="grafana_k6", STACK_ID="1,2")
    with pytest.raises(SettingsError, match="STACK_ID must be one value"):
        connect(platform_named("load_testing"))


@pytest.mark.parametrize("contract", ["sentry", "ninjaone", "grafana_k6"])
def test_check_accepts_the_settings_of_a_vendors_contract(
    contract: str, vendor: MakeVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    api = vendor(contract)
    check_platforms([api.platform], sandbox=False)
    assert "accepts the credential" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("platform", "contract", "base_url"),
    [
        ("error_tracking", "sentry", "https://sentry.example.com/api/0/"),
        ("error_tracking", "sentry", "https://sentry.example.com"),
        ("crm", "pipedrive", "https://sentry.example.com/v1"),
        ("crm", "pipedrive", "https://sentry.example.com/api/v2/"),
        ("ci_analytics", "buildkite", "https://sentry.example.com/v2"),
    ],
)
def test_a_base_url_may_have_the_version_that_the_paths_begin_with(
    platform: str, contract: str, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"SOURCES__{platform.upper()}__"
    for name, value in {"CONTRACT": contract, "BASE_URL": base_url, "API_TOKEN": "t", "ORGANIZATION": "acme"}.items():
        monkeypatch.setenv(f"{prefix}{name}", value)
    assert connect(platform_named(platform)).settings.base_url == "https://sentry.example.com"
