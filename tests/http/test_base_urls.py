"""Where requests go: addresses that settings fill, and endpoints that are served elsewhere than the others."""

from collections.abc import Iterator
from typing import Any

import pytest

from platform_assets.configuration import settings_of
from platform_assets.configuration.platform_settings import Settings, is_configured
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Contract,
    Endpoint,
    ErrorHandler,
    JsonLink,
    Platform,
    Resource,
    SettingsError,
    SinglePage,
    Template,
    validate,
)
from platform_assets.extraction.connection import connect
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.base_urls import account_settings, base_url_of
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from tests.servers.faulty_proxy import unexpected_server
from tests.servers.http_server import HttpServer, Reply

ADDRESS = Template("https://{{ config.subdomain }}.example.com/api/")
SECRET = "s3cr3t"


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({"data": [{"id": 1}]})) as scripted:
        yield scripted


@pytest.fixture
def other() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({"data": [{"id": 2}]})) as scripted:
        yield scripted


def declared(*endpoints: Endpoint, **more: Any) -> Platform:
    resources = tuple(
        Resource(name=f"things{number}", description="", endpoint=endpoint, columns={"id": "bigint"})
        for number, endpoint in enumerate(endpoints or (Endpoint(path="/things"),))
    )
    client = Client(
        auth=BearerAuth(), probe="/things", paginator=SinglePage(), error_handler=ErrorHandler(max_retries=0)
    )
    platform = Platform(name="shop", title="", description="", client=client, resources=resources, **more)
    return validate([platform])[0]


def opened(server: HttpServer, platform: Platform, **more: Any) -> ApiClient:
    return ApiClient(platform, Settings(base_url=server.url, token=SECRET, secrets={"api_token": SECRET}, **more))


def ids(client: ApiClient, name: str = "things0") -> list[int]:
    reading = ListRead(client, client.platform.resource(name))
    return [record["id"] for records in read_records(reading) for record in records]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SOURCES__SHOP__API_TOKEN", SECRET)
    return monkeypatch


def test_an_address_is_filled_by_settings(environment: pytest.MonkeyPatch) -> None:
    platform = declared(base_url=ADDRESS)
    assert is_configured(platform)
    with pytest.raises(SettingsError, match="SOURCES__SHOP__SUBDOMAIN"):
        connect(platform)
    environment.setenv("SOURCES__SHOP__SUBDOMAIN", "acme")
    assert connect(platform).settings.base_url == "https://acme.example.com/api"
    assert account_settings(platform).configured == {"subdomain": ("acme",)}
    assert "subdomain" in [setting.key for setting in settings_of(platform)]


def test_the_setting_base_url_replaces_a_templates_address_and_needs_no_settings(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SOURCES__SHOP__BASE_URL", "http://127.0.0.1:9/x")
    found = connect(declared(base_url=ADDRESS)).settings
    assert (found.base_url, found.is_redirected) == ("http://127.0.0.1:9/x", True)


def test_a_contracts_address_is_filled_too(environment: pytest.MonkeyPatch) -> None:
    platform = declared()
    contract = Contract(client=platform.client, base_url=ADDRESS)
    platform = declared(contracts={"live": contract})
    environment.setenv("SOURCES__SHOP__CONTRACT", "live")
    environment.setenv("SOURCES__SHOP__SUBDOMAIN", "acme")
    assert is_configured(platform) and connect(platform).settings.base_url == "https://acme.example.com/api"


@pytest.mark.parametrize(
    ("subdomain", "message"),
    [
        ("https://acme.example.com", "which is no address: check the settings subdomain"),
        ("user@acme", "no address"),
        ("acme.example.com?x=", "no address"),
        ("a b", "no address"),
    ],
)
def test_a_setting_that_makes_no_address_is_an_error(
    subdomain: str, message: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SOURCES__SHOP__SUBDOMAIN", subdomain)
    with pytest.raises(SettingsError, match=message):
        connect(declared(base_url=ADDRESS))


def test_no_template_makes_an_address_in_clear(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SOURCES__SHOP__HOST", "acme.example.com")
    address = Template("http://{{ config.host }}")
    for platform in (
        declared(base_url=address),
        declared(Endpoint(path="/x", base_url=address), base_url="https://api.example.com"),
    ):
        with pytest.raises(SettingsError, match="plain http to another machine"):
            connect(platform)
    environment.setenv("SOURCES__SHOP__ALLOW_HTTP", "true")
    assert connect(declared(base_url=address)).settings.base_url == "http://acme.example.com"


def test_settings_without_which_templates_do_are_left_out(environment: pytest.MonkeyPatch) -> None:
    params = {"q": Template("{{ config.get('state', 'open') }}"), "n": Template("{{ config.get('names') }}")}
    platform = declared(Endpoint(path="/things", params=params), base_url="https://api.example.com")
    assert connect(platform).settings.configured == {}
    environment.setenv("SOURCES__SHOP__STATE", "a, b")
    environment.setenv("SOURCES__SHOP__NAMES", "[a, b]")
    assert connect(platform).settings.configured == {"state": ("a, b",), "names": ("a", "b")}
    assert {"state", "names"} <= {setting.key for setting in settings_of(platform)}


def test_a_setting_of_every_platform_is_known_once_if_a_template_names_it(environment: pytest.MonkeyPatch) -> None:
    platform = declared(
        Endpoint(path="/things", params={"q": Template("{{ config.start_date }}")}), base_url="https://api.example.com"
    )
    assert [setting.key for setting in settings_of(platform)].count("start_date") == 1
    environment.setenv("SOURCES__SHOP__START_DATE", "2026-01-01")
    found = connect(platform).settings
    assert found.configured == {"start_date": ("2026-01-01",)} and found.start_date is not None


# Endpoints


def test_an_endpoint_elsewhere_gets_the_same_credential(server: HttpServer, other: HttpServer) -> None:
    platform = declared(Endpoint(path="/a"), Endpoint(path="/b", base_url=f"{other.url}/v2/"))
    with opened(server, platform) as client:
        assert ids(client) == [1] and ids(client, "things1") == [2]
    assert (server.targets, other.targets) == (["/a"], ["/v2/b"])
    assert other.requests[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_the_setting_base_url_takes_what_would_go_elsewhere(server: HttpServer) -> None:
    with unexpected_server() as (url, received):
        text, template = f"{url}/v2", Template(url + "/{{ config.version }}")
        platform = declared(Endpoint(path="/a", base_url=text), Endpoint(path="/b", base_url=template))
        with opened(server, platform, is_redirected=True, configured={"version": ("v3",)}) as client:
            assert ids(client) == ids(client, "things1") == [1]
    assert server.targets == ["/v2/a", "/v3/b"] and not received


def test_links_and_redirects_stay_on_the_endpoints_own_server(server: HttpServer, other: HttpServer) -> None:
    endpoint = Endpoint(path="/a", base_url=other.url, paginator=JsonLink())
    with opened(server, declared(endpoint)) as client:
        other.answer = lambda request: Reply(
            {"data": [{"id": request.number}], "next": "/b"} if request.number < 2 else {"data": []}
        )
        assert ids(client) == [1]
        other.answer = lambda request: Reply({"data": [{"id": 1}], "next": f"{server.url}/b"})
        with pytest.raises(AnswerError, match="another origin"):
            ids(client)
        other.answer = lambda request: Reply({}, 302, {"Location": f"{server.url}/b"})
        with pytest.raises(RequestFailed, match="another origin"):
            ids(client)
    assert other.targets == ["/a", "/b", "/a", "/a"] and not server.requests


def test_a_server_that_is_down_does_not_keep_others_from_being_read(server: HttpServer) -> None:
    with HttpServer(lambda request: Reply({})) as gone:
        pass
    platform = declared(Endpoint(path="/a", base_url=gone.url), Endpoint(path="/b"))
    with opened(server, platform) as client:
        for _ in range(2):
            with pytest.raises(RequestFailed, match=f"cannot reach {gone.url}"):
                ids(client)
        assert ids(client, "things1") == [1]


def test_each_server_has_the_proxy_that_the_environment_names_for_it(
    server: HttpServer, other: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpServer(lambda request: Reply({"data": [{"id": 3}]})) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "localhost")
        local = f"http://localhost:{server.port}"
        platform = declared(Endpoint(path="/a", base_url=local), Endpoint(path="/b", base_url=other.url))
        with opened(server, platform) as client:
            assert ids(client) == [1] and ids(client, "things1") == [3]


def test_an_address_without_a_slash_at_its_end(server: HttpServer) -> None:
    platform = declared(Endpoint(path="/a", base_url=f"{server.url}/v2/"))
    settings = Settings(base_url=server.url, token=SECRET)
    assert base_url_of(platform, platform.resources[0].endpoint, settings) == f"{server.url}/v2"
    assert base_url_of(platform, None, settings) == server.url
