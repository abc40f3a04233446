"""How credentials are sent, over real sockets: bought tokens are renewed in time, kept alone, and in no message."""

import logging
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Client,
    Endpoint,
    HttpBasicAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Platform,
    RateLimit,
    Resource,
    SessionToken,
    SettingsError,
    SinglePage,
    Template,
    TemplateAuth,
)
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import RequestFailed
from platform_assets.http.oauth import life
from platform_assets.http.outgoing import Outgoing
from tests.cli.command import command
from tests.servers.http_server import HttpServer, Reply, Request

REFRESH = OAuth2RefreshToken(access_token_url="/token", access_token_request_data={"scope": "read"})
LOGIN = SessionToken(
    login_path="/login",
    login_json={"user": "username", "pass": "password"},
    login_constants={"remember": True},
    token_path="session.id",
    header="X-Session",
    expires=timedelta(minutes=10),
)
CREDENTIALS = {"username": "ann", "password": "pa55/word"}
CLIENT = {"client_id": "id-1", "client_secret": "s3cr3t+1", "refresh_token": "refresh-0"}


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(lambda request: Reply({})) as scripted:
        yield scripted


def opened(server: HttpServer, auth: Auth, secrets: Mapping[str, str], **more: Any) -> ApiClient:
    client = Client(auth=auth, probe="/", paginator=SinglePage())
    platform = Platform(name="shop", title="Shop", description="", client=client, resources=())
    settings = Settings(base_url=server.url, token="\n".join(secrets.values()), secrets=secrets, backoff_factor=0.0)
    return ApiClient(platform, settings, **more)


class Vendor:
    """An authorization server and its API in one.

    Args:
        rotates: whether each use of a refresh token replaces it; using a replaced one again revokes everything.
        life: seconds that an access token is said to be good for.
    """

    def __init__(self, *, rotates: bool, life: int = 3600) -> None:
        self.refresh, self.access = "refresh-0", ""
        self.forms: list[dict[str, list[str]]] = []
        self.revoked = False
        self._rotates, self._life, self._lock = rotates, life, threading.Lock()

    def __call__(self, request: Request) -> Reply:
        with self._lock:
            if request.path != "/token":
                accepted = self.access and request.headers["Authorization"] == f"Bearer {self.access}"
                return Reply({"data": []}) if accepted else Reply({"message": request.headers["Authorization"]}, 401)
            form = parse_qs(request.content.decode())
            self.forms.append(form)
            if self.revoked or form["refresh_token"] != [self.refresh]:
                self.revoked = True
                return Reply({"error": "invalid_grant", "description": request.content.decode()}, 400)
            self.access = f"access-{len(self.forms)}"
            answer = {"access_token": self.access, "expires_in": self._life, "token_type": "Bearer"}
            if self._rotates:
                answer["refresh_token"] = self.refresh = f"refresh-{len(self.forms)}"
            return Reply(answer)


def kept_files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "dagster_home" / "refresh_tokens").glob("*.json"))


def test_without_a_credential_none_is_sent_and_a_401_says_so(server: HttpServer) -> None:
    with opened(server, NoAuth(), {}) as client:
        client.get("/x", {"a": "1"})
        server.answer = lambda request: Reply({}, 401)
        with pytest.raises(RequestFailed, match="a credential is needed"):
            client.get("/x")
    assert server.targets == ["/x?a=1", "/x"]
    assert "Authorization" not in server.requests[0].headers and "Cookie" not in server.requests[0].headers


def of_several(
    server: HttpServer, client: Client, secrets: Mapping[str, str], *endpoints: Endpoint, **more: Any
) -> ApiClient:
    resources = tuple(
        Resource(name=f"list_{place}", description="", endpoint=one, columns={"id": "bigint"})
        for place, one in enumerate(endpoints)
    )
    platform = Platform(name="shop", title="Shop", description="", client=client, resources=resources)
    settings = Settings(base_url=server.url, token="\n".join(secrets.values()), secrets=secrets, backoff_factor=0.0)
    return ApiClient(platform, settings, **more)


OF_PROJECTS = Client(auth=BearerAuth(token="project_token"), probe="/", paginator=SinglePage())
OF_ACCOUNT = Endpoint(path="/users", auth=ApiKeyAuth(name="X-Key", location="header", api_key="account_token"))
PUBLIC = Endpoint(path="/regions", auth=NoAuth())
TOKENS = {"project_token": "pr0ject", "account_token": "acc0unt"}


def test_an_endpoint_with_a_credential_of_its_own_is_sent_that_one_alone(server: HttpServer) -> None:
    with of_several(server, OF_PROJECTS, TOKENS, Endpoint(path="/items"), OF_ACCOUNT, PUBLIC) as client:
        for one in (None, *(resource.endpoint for resource in client.platform.resources)):
            client.get("/x", endpoint=one)
        server.answer = lambda request: Reply({"echo": ["pr0ject", "acc0unt"]}, 400)
        with pytest.raises(RequestFailed) as caught:
            client.get("/x", endpoint=OF_ACCOUNT)
    names = ("Authorization", "X-Key")
    sent = [[request.headers.get(name) for name in names] for request in server.requests[:4]]
    assert sent == [["Bearer pr0ject", None], ["Bearer pr0ject", None], [None, "acc0unt"], [None, None]]
    assert str(caught.value).count("***") == 2


def test_a_refusal_names_the_settings_of_the_credential_that_was_sent(server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, 401)
    with of_several(server, OF_PROJECTS, TOKENS, Endpoint(path="/items"), OF_ACCOUNT, PUBLIC) as client:
        for endpoint, name in ((None, "PROJECT_TOKEN"), (OF_ACCOUNT, "ACCOUNT_TOKEN")):
            with pytest.raises(RequestFailed, match=f"check SOURCES__SHOP__{name}$"):
                client.get("/x", endpoint=endpoint)
        with pytest.raises(RequestFailed, match="the declaration has none"):
            client.get("/x", endpoint=PUBLIC)


def test_each_bought_token_is_renewed_by_itself(server: HttpServer) -> None:
    tokens = {"project": "", "account": ""}

    def answer(request: Request) -> Reply:
        if request.path.startswith("/token/"):
            whose = request.path.rpartition("/")[2]
            assert parse_qs(request.content.decode())["client_secret"] == [f"s3cr3t-{whose}"]
            tokens[whose] = f"{whose}-{request.number}"
            return Reply({"access_token": tokens[whose], "expires_in": 3600})
        whose = "account" if request.path == "/users" else "project"
        return Reply({}, 200 if request.headers["Authorization"] == f"Bearer {tokens[whose]}" else 401)

    def bought(whose: str) -> OAuth2ClientCredentials:
        return OAuth2ClientCredentials(access_token_url=f"/token/{whose}", client_secret=f"{whose}_secret")

    server.answer = answer
    secrets = {"client_id": "id-1", "project_secret": "s3cr3t-project", "account_secret": "s3cr3t-account"}
    users = Endpoint(path="/users", auth=bought("account"))
    with of_several(server, replace(OF_PROJECTS, auth=bought("project")), secrets, users) as client:
        client.get("/items")
        client.get("/users", endpoint=users)
        tokens["account"] = "revoked"
        client.get("/users", endpoint=users)
        client.get("/items")
    asked = [request.path for request in server.requests]
    assert asked == [
        "/token/project", "/items", "/token/account", "/users", "/users", "/token/account", "/users", "/items",
    ]  # fmt: skip


def test_each_credential_has_the_rate_limit_for_itself(server: HttpServer) -> None:
    class Waits(Exception):
        pass

    def sleep(seconds: float) -> None:
        if seconds > 1:
            raise Waits

    limited = replace(OF_PROJECTS, rate_limit=RateLimit(requests=1, seconds=30))
    with of_several(server, limited, TOKENS, OF_ACCOUNT, sleep=sleep) as client:
        for endpoint in (None, OF_ACCOUNT):
            client.get("/x", endpoint=endpoint)
            with pytest.raises(Waits):
                client.get("/x", endpoint=endpoint)
    assert len(server.requests) == 2


def test_a_key_in_a_cookie_goes_beside_the_servers_own(server: HttpServer) -> None:
    server.answer = lambda request: Reply({}, headers={"Set-Cookie": "lb=1"})
    with opened(server, ApiKeyAuth(name="key", location="cookie"), {"api_token": "s3cr3t"}) as client:
        client.get("/x")
        client.get("/x")
    assert [request.headers["Cookie"] for request in server.requests] == ["key=s3cr3t", "lb=1; key=s3cr3t"]


def test_a_client_that_proves_itself_in_a_header_is_not_in_the_form(server: HttpServer) -> None:
    vendor = server.answer = Vendor(rotates=False)
    auth = replace(REFRESH, access_token_request_headers={"authorization": "Basic aWQ6c2VjcmV0"})
    with opened(server, auth, CLIENT) as client:
        client.get("/x")
    assert vendor.forms == [{"grant_type": ["refresh_token"], "refresh_token": ["refresh-0"], "scope": ["read"]}]


def test_what_is_beside_a_bought_token_goes_with_each_request_but_not_with_its_own(server: HttpServer) -> None:
    vendor = server.answer = Vendor(rotates=False)
    beside = TemplateAuth(
        headers={"X-Client": Template("{{ config.client_id }}")}, params={"key": Template("k-{{ config.app_key }}")}
    )
    auth = replace(REFRESH, beside=beside)
    assert auth.secrets == ("client_id", "client_secret", "refresh_token", "app_key")
    secrets = {**CLIENT, "app_key": "s3cret-app"}
    with opened(server, auth, secrets) as client:
        client.get("/x", {"a": "1"})
        server.answer = lambda request: Reply({"said": request.target}, 400)
        with pytest.raises(RequestFailed) as failure:
            client.get("/x")
    token, *asked = server.requests
    assert token.target == "/token" and "X-Client" not in token.headers
    assert [(one.target, one.headers["X-Client"]) for one in asked] == [
        ("/x?a=1&key=k-s3cret-app", "id-1"),
        ("/x?key=k-s3cret-app", "id-1"),
    ]
    assert asked[0].headers["Authorization"] == f"Bearer {vendor.access}" and "s3cret" not in str(failure.value)


def test_what_is_beside_a_login_goes_with_its_session(server: HttpServer) -> None:
    answers = iter(("session-1", "session-2"))

    def answer(request: Request) -> Reply:
        if request.path == "/login":
            return Reply({"session": {"id": next(answers)}})
        return Reply({}, 200 if request.headers["X-Session"] == "session-2" else 401)

    server.answer = answer
    auth = replace(LOGIN, beside=TemplateAuth(headers={"X-Tenant": Template("{{ config.tenant }}")}))
    assert auth.secrets == ("username", "password", "tenant")
    with opened(server, auth, {**CREDENTIALS, "tenant": "t-1"}) as client:
        client.get("/x")
    assert [(one.path, one.headers.get("X-Tenant")) for one in server.requests] == [
        ("/login", None),
        ("/x", "t-1"),
        ("/login", None),
        ("/x", "t-1"),
    ]


@pytest.mark.parametrize("location", ["header", "query"])
def test_a_key_may_have_a_prefix(server: HttpServer, location: Any) -> None:
    with opened(server, ApiKeyAuth(name="Key", location=location, prefix="Token "), {"api_token": "s3cr3t"}) as client:
        client.get("/x")
    (request,) = server.requests
    assert (request.headers["Key"] if location == "header" else request.query["Key"]) == "Token s3cr3t"


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        (HttpBasicAuth(username="api_token", password=None), "s3cr3t:"),
        (HttpBasicAuth(username="api_token", password=None, password_constant="x"), "s3cr3t:x"),
        (HttpBasicAuth(username=None, username_constant="api", password="api_token"), "api:s3cr3t"),
    ],
)
def test_basic_authentication_with_a_key_alone(server: HttpServer, auth: HttpBasicAuth, sent: str) -> None:
    assert auth.secrets == ("api_token",)
    with opened(server, auth, {"api_token": "s3cr3t"}) as client:
        client.get("/x")
    assert server.requests[0].headers["Authorization"] == f"Basic {b64encode(sent.encode()).decode()}"


def test_a_key_that_would_be_two_cookies_is_refused(server: HttpServer) -> None:
    with pytest.raises(SettingsError, match="no cookie can hold") as caught:
        opened(server, ApiKeyAuth(name="key", location="cookie"), {"api_token": "s3cr3t; admin=1"})
    assert "s3cr3t" not in str(caught.value)


def test_a_refresh_token_buys_tokens_and_leaves_nothing_on_disk(server: HttpServer, tmp_path: Path) -> None:
    server.answer = vendor = Vendor(rotates=False)
    now = 0.0
    with opened(server, REFRESH, CLIENT, clock=lambda: now) as client:
        client.get("/x")
        client.get("/x")
        assert len(vendor.forms) == 1
        now = 3600.0 - 59
        client.get("/x")
        assert len(vendor.forms) == 2, "it is renewed before it expires"
        vendor.access = "another"
        client.get("/x")
        assert len(vendor.forms) == 3, "and after a 401"
    assert vendor.forms[0] == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-0"],
        "client_id": ["id-1"],
        "client_secret": ["s3cr3t+1"],
        "scope": ["read"],
    }
    assert not kept_files(tmp_path)


def test_a_replaced_refresh_token_is_the_one_that_the_next_process_uses(server: HttpServer, tmp_path: Path) -> None:
    server.answer = vendor = Vendor(rotates=True)
    with opened(server, REFRESH, CLIENT) as client:
        client.get("/x")
        vendor.access = "another"
        client.get("/x")
    (file,) = kept_files(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600 and file.parent.stat().st_mode & 0o777 == 0o700
    with opened(server, REFRESH, CLIENT) as client:
        client.get("/x")
        assert len(vendor.forms) == 2, "the access token that is still good is shared"
        vendor.access = "another"
        client.get("/x")
    assert [form["refresh_token"] for form in vendor.forms] == [["refresh-0"], ["refresh-1"], ["refresh-2"]]
    vendor.refresh = "given-anew"
    with opened(server, REFRESH, {**CLIENT, "refresh_token": "given-anew"}) as client:
        client.get("/x")
    assert vendor.forms[-1]["refresh_token"] == ["given-anew"], "a new value of the setting counts"


def test_clients_that_refresh_at_once_take_turns(server: HttpServer) -> None:
    server.answer = vendor = Vendor(rotates=True, life=90)

    def use(number: int) -> None:
        with opened(server, REFRESH, CLIENT) as client:
            client.get(f"/{number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(16)))
    assert not vendor.revoked and len(vendor.forms) == 1


PROCESS = """
import sys
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Client, OAuth2RefreshToken, Platform, SinglePage
from platform_assets.http.client import ApiClient
auth = OAuth2RefreshToken(access_token_url="/token")
client = Client(auth=auth, probe="/", paginator=SinglePage())
platform = Platform(name="shop", title="Shop", description="", client=client, resources=())
secrets = {"client_id": "id-1", "client_secret": "s3cr3t+1", "refresh_token": "refresh-0"}
settings = Settings(base_url=sys.argv[1], token="t", secrets=secrets, backoff_factor=0.0)
for _ in range(5):
    with ApiClient(platform, settings) as client:
        client.get("/x")
"""


@pytest.mark.slow
def test_processes_take_turns_with_tokens_that_live_for_a_moment(server: HttpServer) -> None:
    server.answer = vendor = Vendor(rotates=True, life=30)

    def use(number: int) -> None:
        done = command(server.url, code=PROCESS)
        # A token that another process has replaced is refused, and replaced once more: nothing else may fail.
        assert done.returncode == 0 or "401: the credential is refused" in done.stderr, done.stderr

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert not vendor.revoked and len(vendor.forms) >= 20


def test_without_a_place_to_keep_it_this_process_goes_on_and_says_what_will_fail(
    server: HttpServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = vendor = Vendor(rotates=True)
    (tmp_path / "dagster_home").write_text("a file where the folder should be")
    with caplog.at_level(logging.ERROR), opened(server, REFRESH, CLIENT) as client:
        client.get("/x")
        vendor.access = "another"
        client.get("/x")
    assert [form["refresh_token"] for form in vendor.forms] == [["refresh-0"], ["refresh-1"]]
    assert "cannot be kept in" in caplog.text and "refresh-1" not in caplog.text and "access-" not in caplog.text


def test_a_refused_refresh_token_is_named_by_its_setting_and_quoted_nowhere(server: HttpServer) -> None:
    server.answer = Vendor(rotates=True)
    with opened(server, REFRESH, {**CLIENT, "refresh_token": "old"}) as client, pytest.raises(RequestFailed) as caught:
        client.get("/x")
    text = str(caught.value)
    assert "`refresh_token`" in text and caught.value.status == 401 and caught.value.permanent
    assert not any(secret in text for secret in ("s3cr3t", "id-1", "old"))


def test_tokens_are_in_no_message(server: HttpServer) -> None:
    server.answer = vendor = Vendor(rotates=True)
    with opened(server, REFRESH, CLIENT) as client:
        client.get("/x")
        server.answer = lambda request: Reply({"echo": [vendor.access, vendor.refresh, "refresh-0"]}, 400)
        with pytest.raises(RequestFailed) as caught:
            client.get("/x")
    assert str(caught.value).count("***") == 3


def test_a_token_endpoint_elsewhere_is_asked_and_gets_no_access_token(server: HttpServer) -> None:
    with HttpServer(lambda request: Reply({"access_token": "elsewhere"})) as issuer:
        auth = OAuth2ClientCredentials(access_token_url=f"{issuer.url}/oauth/token")
        with opened(server, auth, CLIENT) as client:
            client.get("/x")
        assert issuer.targets == ["/oauth/token"] and "Authorization" not in issuer.requests[0].headers
    assert server.requests[0].headers["Authorization"] == "Bearer elsewhere"


def login_server(tokens: list[str]) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.path == "/login":
            tokens.append(f"session-{len(tokens) + 1}")
            return Reply({"session": {"id": tokens[-1]}}, 201)
        return Reply({} if request.headers["X-Session"] == tokens[-1] else {"is": tokens[-1]}, 200)

    return answer


def test_a_login_answers_with_the_token_of_a_header(server: HttpServer) -> None:
    tokens: list[str] = []
    server.answer = login_server(tokens)
    now = 0.0
    with opened(server, LOGIN, CREDENTIALS, clock=lambda: now) as client:
        assert client.get("/x").body == client.get("/x").body == {}
        now = 541.0
        assert client.get("/x").body == {}
    assert [request.path for request in server.requests] == ["/login", "/x", "/x", "/login", "/x"]
    assert orjson.loads(server.requests[0].content) == {"user": "ann", "pass": "pa55/word", "remember": True}
    assert "X-Session" not in server.requests[3].headers


def test_a_login_elsewhere_with_a_credential_of_its_own(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with HttpServer(lambda request: Reply({"session": {"id": "session-9"}}, 201)) as issuer:
        basic = Template("Basic {{ (config.app ~ ':' ~ config.app_key) | base64encode }}")
        auth = replace(
            LOGIN, login_path=f"{issuer.url}/oauth/token", login_headers={"Authorization": basic, "X-Kind": "app"}
        )
        assert auth.secrets == ("username", "password", "app", "app_key")
        with opened(server, auth, {**CREDENTIALS, "app": "id-1", "app_key": "s3cr3t"}) as client:
            client.get("/x")
            issuer.answer = lambda request: Reply({"echo": "s3cr3t pa55/word"}, 401)
            server.answer = lambda request: Reply({}, 401)
            with pytest.raises(RequestFailed, match="`app_key`") as caught:
                client.get("/x")
        login, _ = issuer.requests
    assert login.path == "/oauth/token" and login.headers["X-Kind"] == "app"
    assert login.headers["Authorization"] == f"Basic {b64encode(b'id-1:s3cr3t').decode()}"
    assert [one.headers["X-Session"] for one in server.requests] == ["session-9"] * 2
    assert not any(one in str(caught.value) for one in ("s3cr3t", "pa55", issuer.url))


def test_a_key_in_a_form_goes_with_each_form_and_nothing_else(server: HttpServer) -> None:
    auth = TemplateAuth(data={"apiKey": Template("{{ config.key }}")})
    with opened(server, auth, {"key": "s3cr3t&1"}) as client:
        client.send(Outgoing("/x", method="POST"))
        client.send(Outgoing("/x", method="POST", data={"a": "1", "b": ("2", "3"), "apiKey": "mine"}))
        client.send(Outgoing("/x", method="POST", json={"a": 1}))
        client.get("/x", {"a": "1"})
        server.answer = lambda request: Reply({"echo": request.content.decode()}, 400)
        with pytest.raises(RequestFailed) as caught:
            client.send(Outgoing("/x", method="POST"))
    found = [parse_qs(request.content.decode()) for request in server.requests[:2]]
    assert found == [{"apiKey": ["s3cr3t&1"]}, {"a": ["1"], "b": ["2", "3"], "apiKey": ["s3cr3t&1"]}]
    assert [request.content for request in server.requests[2:4]] == [b'{"a": 1}', b""]
    assert "s3cr3t" not in str(caught.value)


def test_a_session_that_ends_early_is_renewed_once(server: HttpServer) -> None:
    tokens: list[str] = []
    api = login_server(tokens)
    server.answer = lambda request: api(request) if request.number != 2 else Reply({}, 401)
    with opened(server, LOGIN, CREDENTIALS) as client:
        assert client.get("/x").body == {}
        assert len(tokens) == 2
        server.answer = lambda request: api(request) if request.path == "/login" else Reply({}, 401)
        with pytest.raises(RequestFailed, match="401"):
            client.get("/x")
    assert len(tokens) == 3


@pytest.mark.parametrize("reply", [Reply({"echo": "pa55/word"}, 401), Reply({"session": {}}), Reply(b"<html>", 302)])
def test_a_login_that_is_refused_names_the_settings_and_quotes_nothing(reply: Reply, server: HttpServer) -> None:
    server.answer = lambda request: reply
    with opened(server, LOGIN, CREDENTIALS) as client, pytest.raises(RequestFailed, match="POST /login") as caught:
        client.get("/x")
    assert "pa55" not in str(caught.value)
    assert reply.status != 401 or "`username`, `password`" in str(caught.value)


TEMPLATES = TemplateAuth(
    headers={
        "Authorization": Template("Token token={{ config['key'] }}"),
        "X-User": Template("{{ (config.user ~ '/token:' ~ config.key) | base64encode }}"),
    },
    params={"app": Template("{{ config.get('new') or config.get('app') }}")},
    json={"auth.key": Template("{{ config.key }}")},
)
PARTS = {"user": "ann", "key": "s3cr3t+1", "app": "app-9"}


def test_templates_make_several_credentials_in_one_request(server: HttpServer) -> None:
    with opened(server, TEMPLATES, PARTS) as client:
        client.get("/x", {"a": "1"})
        client.send(Outgoing("/x", method="POST", json={"page": 2, "auth": {"v": 1}}))
        client.send(Outgoing("/x", method="POST"))
        client.send(Outgoing("/x", method="POST", data={"page": "2"}))
    read, *posted, form = server.requests
    assert read.headers["Authorization"] == "Token token=s3cr3t+1"
    assert read.headers["X-User"] == b64encode(b"ann/token:s3cr3t+1").decode()
    assert parse_qs(read.target.partition("?")[2]) == {"a": ["1"], "app": ["app-9"]}
    assert read.content == b""
    assert [orjson.loads(one.content) for one in posted] == [
        {"page": 2, "auth": {"v": 1, "key": "s3cr3t+1"}},
        {"auth": {"key": "s3cr3t+1"}},
    ]
    assert form.content == b"page=2"


def test_no_part_of_a_template_credential_is_in_a_message(server: HttpServer) -> None:
    auth = TemplateAuth(
        headers={"Authorization": Template("Basic {{ (config.user ~ '/t:' ~ config.key) | base64encode }}")}
    )
    encoded = b64encode(b"ann/t:s3cr3t+1").decode()
    server.answer = lambda request: Reply({"message": f"{encoded} s3cr3t+1 {request.headers['Authorization']}"}, 400)
    with opened(server, auth, PARTS) as client, pytest.raises(RequestFailed) as caught:
        client.get("/x")
    assert "***" in str(caught.value)
    assert encoded not in str(caught.value) and "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "secrets", "message"),
    [
        ("{{ config.get('key') or config.get('old') }}", {}, "SOURCES__SHOP__KEY or SOURCES__SHOP__OLD"),
        ("{{ config.key[:3] | int / 0 }}", {"key": "123"}, "SOURCES__SHOP__KEY"),
        ("{{ config.key | base64decode }}", {"key": "no+base64!"}, "SOURCES__SHOP__KEY"),
        ("a\nb{{ config.key }}", {"key": "s3cr3t"}, "a character that no header can hold"),
        ("{{ config.key }}", {"key": "s3cr3t€"}, "a character that no header can hold"),
    ],
)
def test_a_template_credential_that_cannot_be_sent_names_its_settings(
    server: HttpServer, template: str, secrets: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match="`X-Key`") as caught:
        opened(server, TemplateAuth(headers={"X-Key": Template(template)}), secrets)
    assert message in str(caught.value) and not any(secret in str(caught.value) for secret in secrets.values())


@pytest.mark.parametrize("over", ["2026-01-01T00:10:00Z", 1767226200, "1767226200"])
def test_an_answer_may_say_when_a_token_is_over(over: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_assets.http.oauth.time.time", lambda: 1767225600.0)
    assert life(over, 3600) == 600


@pytest.mark.parametrize(
    "url", ["http://{{ config.host }}/token", "{{ config.host }}", "https://u:p@{{ config.host }}/"]
)
def test_a_token_is_asked_for_at_a_safe_place(server: HttpServer, url: str) -> None:
    auth = OAuth2ClientCredentials(access_token_url=Template(url))
    client = Client(auth=auth, probe="/", paginator=SinglePage())
    platform = Platform(name="shop", title="Shop", description="", client=client, resources=())
    assert platform.configured_of("reference") == ("host",)
    settings = Settings(base_url=server.url, token="x", secrets=CLIENT, configured={"host": ("login.example.com",)})
    with pytest.raises(SettingsError, match="SOURCES__SHOP__HOST"):
        ApiClient(platform, settings)
