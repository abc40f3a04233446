"""`check` asks each credential of a platform, and says which it cannot ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_assets.configuration.known import all_credentials
from platform_assets.configuration.platform_settings import read_settings
from platform_assets.declarations import (
    ApiKeyAuth,
    BearerAuth,
    Buckets,
    Client,
    Contract,
    Endpoint,
    JobRequest,
    NoAuth,
    PageNumber,
    Platform,
    ReportJob,
    Resolve,
    Resource,
    SettingsError,
)
from platform_assets.declarations.validation import problems
from platform_assets.extraction.connection import connect
from platform_assets.extraction.probe_request import probes, unasked
from platform_assets.platform_files import as_yaml
from tests.cli.command import command
from tests.servers.http_server import HttpServer, Reply

ACCOUNT = ApiKeyAuth(name="X-Key", location="header", api_key="account_token")
NOTES = ApiKeyAuth(name="X-Notes", location="header", api_key="notes_token")
COLUMNS = {"id": "bigint"}


def listed(name: str, **endpoint: object) -> Resource:
    return Resource(
        name=name,
        description=name,
        endpoint=Endpoint(path=f"/{name}", **endpoint),  # pyright: ignore[reportArgumentType]
        columns=COLUMNS,
    )


def shop(base_url: str = "https://api.example.com") -> Platform:
    notes = Endpoint(path="/users/{id}/notes", auth=NOTES, params={"id": Resolve("users", "id")})
    return Platform(
        name="shop",
        title="Shop",
        description="Shop",
        base_url=base_url,
        client=Client(
            auth=BearerAuth(token="project_token"),
            probe="/items",
            paginator=PageNumber(limit=5, limit_param="size"),
            data_selector="",
        ),
        resources=(
            listed("items"),
            listed("users", auth=ACCOUNT),
            listed("regions", auth=NoAuth()),
            Resource(name="notes", description="notes", endpoint=notes, columns=COLUMNS, partition=Buckets(count=2)),
        ),
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    for name in ("PROJECT", "ACCOUNT", "NOTES"):
        monkeypatch.setenv(f"SOURCES__SHOP__{name}_TOKEN", f"t-{name.lower()}")
    with HttpServer(lambda request: Reply([])) as scripted:
        yield scripted


def test_each_credential_that_needs_no_parent_is_asked_once(server: HttpServer) -> None:
    connection = connect(shop(server.url))
    with connection.open_client() as client:
        for probe in probes(connection.platform, connection.settings):
            client.send(probe.outgoing, endpoint=probe.endpoint)
    assert server.targets == ["/items", "/users?page=1&size=5"]
    assert [one.headers.get("X-Key") for one in server.requests] == [None, "t-account"]
    assert unasked(connection.platform, connection.settings) == (NOTES,)


def test_no_job_of_a_report_is_created_to_ask_its_credential(server: HttpServer) -> None:
    job = ReportJob(poll=JobRequest(path="/poll"), status="status", completed=("DONE",), targets="url")
    reports = (
        listed("sales", method="POST", auth=ACCOUNT, job=job),
        # At the path of the client's own probe.
        Resource(
            name="made", description="made", endpoint=Endpoint(path="/items", method="POST", job=job), columns=COLUMNS
        ),
    )
    connection = connect(Platform(**{**_fields(shop(server.url)), "resources": reports}))
    asked = [probe.outgoing for probe in probes(connection.platform, connection.settings)]
    assert [(one.method, one.path) for one in asked] == [("GET", "/items")]
    assert unasked(connection.platform, connection.settings) == (ACCOUNT,)


def test_check_fails_for_the_credential_that_is_refused_and_names_its_setting(
    server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMS__FOLDER", str(tmp_path))
    (tmp_path / "shop.yaml").write_text(as_yaml(shop(server.url)))
    good = command("check", "--platform", "shop")
    assert "shop: ok, " in good.stdout and "not asked: SOURCES__SHOP__NOTES_TOKEN" in good.stdout
    server.answer = lambda request: Reply([], 401 if "X-Key" in request.headers else 200)
    bad = command("check", "--platform", "shop")
    assert bad.returncode == 1 and "check SOURCES__SHOP__ACCOUNT_TOKEN" in bad.stdout
    assert "PROJECT_TOKEN" not in bad.stdout and "t-account" not in bad.stdout


def test_each_secret_is_a_setting_that_says_what_it_is_for(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    meanings = {one.key: one.meaning for one in all_credentials(shop()) if one.secret}
    assert meanings == {
        "project_token": "The credential.",
        "account_token": "The credential for `users`.",
        "notes_token": "The credential for `notes`.",
    }
    assert set(read_settings(shop()).secret_values) == {"t-project", "t-account", "t-notes"}
    monkeypatch.delenv("SOURCES__SHOP__NOTES_TOKEN")
    with pytest.raises(SettingsError, match="`notes_token` is missing"):
        read_settings(shop())


def test_a_contract_needs_the_secrets_of_what_it_serves(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__SHOP__NOTES_TOKEN")
    monkeypatch.setenv("SOURCES__SHOP__CONTRACT", "small")
    declared = shop(server.url)
    small = Contract(client=declared.client, base_url=server.url, unserved={"notes": "it has none"})
    platform = Platform(**{**_fields(declared), "contracts": {"small": small}})
    assert set(read_settings(platform).secrets) == {"project_token", "account_token"}


def _fields(platform: Platform) -> dict[str, Any]:
    return {
        name: getattr(platform, name) for name in ("name", "title", "description", "base_url", "client", "resources")
    }


def test_a_credential_of_an_endpoint_is_checked_as_the_clients_is() -> None:
    wrong = listed("items", auth=ApiKeyAuth(name="", api_key="other_token"))
    twice = listed("users", auth=ApiKeyAuth(name="key", api_key="other_token"), params={"key": "x"})
    found = [
        (resource, key) for resource, key, _ in problems(Platform(**{**_fields(shop()), "resources": (wrong, twice)}))
    ]
    assert ("items", "auth") in found and ("users", "params") in found
