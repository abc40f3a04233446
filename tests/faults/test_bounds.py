"""What a server cannot cause: credentials sent to another host, an untrusted certificate accepted, memory exhausted,
endless redirects followed."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from platform_assets.configuration.platform_settings import Settings, read_settings
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed, SettingsError
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from tests.faults import catalogue
from tests.servers.faulty_proxy import FaultyProxy, GoodResponse, Wire, unexpected_server
from tests.servers.http_server import HttpServer, Reply

TOKEN = "hush-hush/+secret"


def client(url: str, platform: str = "crm") -> ApiClient:
    return ApiClient(platform_named(platform), Settings(base_url=url, token=TOKEN, backoff_factor=0.0))


@pytest.mark.parametrize("platform", ["crm", "error_tracking"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_are_not_sent_to_another_origin_after_a_redirect(
    platform: str, status: int, shared_sandbox: SandboxServer
) -> None:
    with unexpected_server() as (other_url, received):
        moved = catalogue.complete_response(lambda good: good.message(b"", status=status, location=f"{other_url}/take"))
        with FaultyProxy(shared_sandbox.url, moved, times=None) as proxy, client(proxy.url, platform) as api:
            with pytest.raises(RequestFailed, match="another origin"):
                api.get("/v1/leads")
            assert len(proxy.targets) == 1
    assert received == []


@pytest.mark.parametrize(
    "location", ["//127.0.0.2/x", "http://[::1", "ftp://127.0.0.1/", "javascript:1", "http://h:99999/"]
)
def test_redirects_to_another_or_invalid_origin_are_refused(location: str, shared_sandbox: SandboxServer) -> None:
    moved = catalogue.complete_response(lambda good: good.message(b"", status=302, location=location))
    with (
        FaultyProxy(shared_sandbox.url, moved, times=None) as proxy,
        client(proxy.url) as api,
        pytest.raises(RequestFailed, match="another origin"),
    ):
        api.get("/v1/leads")


def test_a_redirect_on_the_same_origin_is_followed(shared_sandbox: SandboxServer) -> None:
    moved = catalogue.complete_response(
        lambda good: good.message(b"", status=307, location="/crm/v1/leadLabels?api_token=x")
    )
    with FaultyProxy(shared_sandbox.url, moved, pattern="/moved") as proxy:
        settings = Settings(base_url=f"{proxy.url}/crm", token="sandbox-crm-token")
        with ApiClient(platform_named("crm"), settings) as api:
            assert api.get("/moved").body["data"]


def test_a_next_link_to_another_host_is_not_followed(shared_sandbox: SandboxServer) -> None:
    """Only the cursor is taken from a Link header; its URL may point anywhere."""
    with unexpected_server() as (other_url, received):

        def link_to_other_host(wire: Wire, good: GoodResponse) -> bool:
            link = f'<{other_url}/next?cursor=0:100:0>; rel="next"; results="true"; cursor="0:50:0"'
            wire.send(good.message(link=link))
            return True

        with FaultyProxy(shared_sandbox.url, link_to_other_host) as proxy:
            settings = Settings(base_url=f"{proxy.url}/error_tracking", token="sandbox-error-tracking-token")
            with ApiClient(platform_named("error_tracking"), settings) as api:
                projects = api.platform.resource("projects")
                assert [*read_records(ListRead(api, projects))]
            assert len(proxy.targets) > 1 and all(target.startswith("/error_tracking/") for target in proxy.targets)
    assert received == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=[("127.0.0.1",), ("elsewhere.example",)], ids=["right-name", "wrong-name"])
def secure(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[HttpServer]:
    """A server with a certificate of a CA that is not trusted by default."""
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*request.param).configure_cert(certificate)
    with HttpServer(lambda request: Reply({"data": []}), certificate=certificate) as server:
        yield server


@pytest.mark.parametrize(
    "variable", ["PYTHONHTTPSVERIFY", "CURL_INSECURE", "SOURCES__CRM__VERIFY", "REQUESTS_CA_BUNDLE"]
)
def test_an_untrusted_certificate_is_refused_before_anything_is_sent(
    secure: HttpServer, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "" if variable == "REQUESTS_CA_BUNDLE" else "0")
    with client(secure.url) as api, pytest.raises(RequestFailed, match=r"certificate .* is refused") as refused:
        api.get("/v1/leads")
    assert secure.requests == []
    assert TOKEN not in str(refused.value) and "REQUESTS_CA_BUNDLE" in str(refused.value)


def test_a_configured_ca_is_trusted_for_the_hosts_of_its_certificates(
    secure: HttpServer,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with client(secure.url) as api:
        if "wrong-name" in request.node.name:
            with pytest.raises(RequestFailed, match=r"certificate .* is refused"):
                api.get("/v1/leads")
            assert secure.requests == []
        else:
            assert api.get("/v1/leads").body == {"data": []}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("https://api.example.com", True),
        ("http://api.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://0x7f000001.example", False),
        ("http://[::1", False),
        ("http://h:99999", False),
        ("ftp://127.0.0.1", False),
        ("https://user:pass@api.example.com", False),
        ("https://api.example.com?api_token=x", False),
        ("https://", False),
    ],
)
def test_credentials_are_sent_over_plain_http_to_this_machine_only(
    url: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__CRM__BASE_URL", url)
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", TOKEN)
    if allowed:
        assert read_settings(platform_named("crm")).base_url == url
    else:
        with pytest.raises(SettingsError, match="SOURCES__CRM__BASE_URL") as refused:
            read_settings(platform_named("crm"))
        assert TOKEN not in str(refused.value)


def test_plain_http_to_another_host_needs_an_explicit_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__CRM__BASE_URL", "http://api.example.com")
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", TOKEN)
    monkeypatch.setenv("SOURCES__CRM__ALLOW_HTTP", "true")
    assert read_settings(platform_named("crm")).base_url == "http://api.example.com"


BOMB_IN_A_PROCESS = """
import resource, sys
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.configuration.platform_settings import Settings
from platform_assets.platforms import platform_named
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ApiClient(platform_named("crm"), Settings(base_url=sys.argv[1], token="x")) as client:
    try:
        client.get("/v1/leadLabels")
    except AnswerError as error:
        print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_compression_bomb_uses_no_more_memory_than_the_limit(
    shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "BOMB", 2048)
    with FaultyProxy(shared_sandbox.url, catalogue.complete_response(catalogue.bomb), times=None) as proxy:
        done = subprocess.run(
            [sys.executable, "-c", BOMB_IN_A_PROCESS, proxy.url], capture_output=True, text=True, timeout=120
        )
    error, megabytes = done.stdout.strip().splitlines()
    assert "larger than 268435456 bytes" in error, done.stderr
    assert int(megabytes) < 600


@pytest.mark.parametrize("status", [302, 400, 500])
def test_bodies_of_error_responses_are_limited_too(
    status: int, shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (catalogue.BOMB - 1) << 20)

    def compressed_bomb(good: GoodResponse) -> bytes:
        return catalogue.bomb(GoodResponse(status, {**good.headers, "location": "/crm/v1/leads"}, good.body))

    with (
        FaultyProxy(shared_sandbox.url, catalogue.complete_response(compressed_bomb), times=None) as proxy,
        client(proxy.url) as api,
        pytest.raises(AnswerError, match="larger than"),
    ):
        api.get("/v1/leads")
    assert proxy.faults_served == 1


def test_a_redirect_loop_ends(shared_sandbox: SandboxServer) -> None:
    moved = catalogue.complete_response(lambda good: good.message(b"", status=302, location="/crm/v1/leads"))
    with FaultyProxy(shared_sandbox.url, moved, times=None) as proxy, client(f"{proxy.url}/crm") as api:
        with pytest.raises(RequestFailed, match="more than 5 redirects"):
            api.get("/v1/leads")
        assert len(proxy.targets) == 6


def test_only_a_masked_excerpt_of_a_refused_body_is_shown(shared_sandbox: SandboxServer) -> None:
    """An error page that repeats the credential: masked, also if the excerpt's end would cut it in two."""
    for filler in range(0, 400, 7):
        page = (b"x" * filler) + TOKEN.encode() * 200
        wrong = catalogue.complete_response(
            lambda good, page=page: good.message(page, status=200, content_type="text/html")
        )
        with (
            FaultyProxy(shared_sandbox.url, wrong, times=None) as proxy,
            client(proxy.url) as api,
            pytest.raises(AnswerError) as refused,
        ):
            api.get("/v1/leads")
        shown = str(refused.value)
        assert not any(TOKEN[:size] in shown for size in range(4, len(TOKEN) + 1)), shown
        assert len(shown) < 400
