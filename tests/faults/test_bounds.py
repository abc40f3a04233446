"""What a server cannot make us do: send a credential elsewhere, trust a stranger, use up memory, follow for ever."""

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
from tests.servers.faulty_proxy import FaultyProxy, Good, Wire, witness
from tests.servers.http_server import HttpServer, Reply

TOKEN = "hush-hush/+secret"


def client(url: str, platform: str = "crm") -> ApiClient:
    return ApiClient(platform_named(platform), Settings(base_url=url, token=TOKEN, backoff_factor=0.0))


@pytest.mark.parametrize("platform", ["crm", "error_tracking"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_credential_never_follows_a_redirect_elsewhere(
    platform: str, status: int, shared_sandbox: SandboxServer
) -> None:
    with witness() as (stranger, heard):
        moved = catalogue.answers(lambda good: good.message(b"", status=status, location=f"{stranger}/take"))
        with FaultyProxy(shared_sandbox.url, moved, times=None) as proxy, client(proxy.url, platform) as asking:
            with pytest.raises(RequestFailed, match="another origin"):
                asking.get("/v1/leads")
            assert len(proxy.targets) == 1
    assert heard == []


@pytest.mark.parametrize(
    "location", ["//127.0.0.2/x", "http://[::1", "ftp://127.0.0.1/", "javascript:1", "http://h:99999/"]
)
def test_redirects_to_what_is_no_place_of_ours_are_refused(location: str, shared_sandbox: SandboxServer) -> None:
    moved = catalogue.answers(lambda good: good.message(b"", status=302, location=location))
    with (
        FaultyProxy(shared_sandbox.url, moved, times=None) as proxy,
        client(proxy.url) as asking,
        pytest.raises(RequestFailed, match="another origin"),
    ):
        asking.get("/v1/leads")


def test_a_redirect_on_the_same_origin_is_followed(shared_sandbox: SandboxServer) -> None:
    moved = catalogue.answers(lambda good: good.message(b"", status=307, location="/crm/v1/leadLabels?api_token=x"))
    with FaultyProxy(shared_sandbox.url, moved, pattern="/moved") as proxy:
        settings = Settings(base_url=f"{proxy.url}/crm", token="sandbox-crm-token")
        with ApiClient(platform_named("crm"), settings) as asking:
            assert asking.get("/moved").body["data"]


def test_a_next_link_elsewhere_is_not_followed(shared_sandbox: SandboxServer) -> None:
    """Only the cursor is taken from a Link header; its URL is whoever's the server likes."""
    with witness() as (stranger, heard):

        def point_away(wire: Wire, good: Good) -> bool:
            link = f'<{stranger}/next?cursor=0:100:0>; rel="next"; results="true"; cursor="0:50:0"'
            wire.send(good.message(link=link))
            return True

        with FaultyProxy(shared_sandbox.url, point_away) as proxy:
            settings = Settings(base_url=f"{proxy.url}/error_tracking", token="sandbox-error-tracking-token")
            with ApiClient(platform_named("error_tracking"), settings) as asking:
                projects = asking.platform.resource("projects")
                assert [*read_records(ListRead(asking, projects))]
            assert len(proxy.targets) > 1 and all(target.startswith("/error_tracking/") for target in proxy.targets)
    assert heard == []


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
def test_an_unknown_certificate_is_refused_and_sent_nothing(
    secure: HttpServer, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "" if variable == "REQUESTS_CA_BUNDLE" else "0")
    with client(secure.url) as asking, pytest.raises(RequestFailed, match=r"certificate .* is refused") as refused:
        asking.get("/v1/leads")
    assert secure.requests == []
    assert TOKEN not in str(refused.value) and "REQUESTS_CA_BUNDLE" in str(refused.value)


def test_a_named_authority_is_trusted_for_the_hosts_it_vouches_for(
    secure: HttpServer,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with client(secure.url) as asking:
        if "wrong-name" in request.node.name:
            with pytest.raises(RequestFailed, match=r"certificate .* is refused"):
                asking.get("/v1/leads")
            assert secure.requests == []
        else:
            assert asking.get("/v1/leads").body == {"data": []}


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
def test_a_credential_is_sent_in_clear_to_this_machine_only(
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


def test_plain_http_elsewhere_needs_a_word_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__CRM__BASE_URL", "http://api.example.com")
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", TOKEN)
    monkeypatch.setenv("SOURCES__CRM__ALLOW_HTTP", "true")
    assert read_settings(platform_named("crm")).base_url == "http://api.example.com"


BOMB_IN_A_PROCESS = """
import resource, sys
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError
from platform_assets.extraction.reading import NO_PARENT, read_records
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


def test_a_bomb_of_gigabytes_costs_no_more_memory_than_the_bound(
    shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "BOMB", 2048)
    with FaultyProxy(shared_sandbox.url, catalogue.answers(catalogue.bomb), times=None) as proxy:
        done = subprocess.run(
            [sys.executable, "-c", BOMB_IN_A_PROCESS, proxy.url], capture_output=True, text=True, timeout=120
        )
    error, megabytes = done.stdout.strip().splitlines()
    assert "larger than 268435456 bytes" in error, done.stderr
    assert int(megabytes) < 600


@pytest.mark.parametrize("status", [302, 400, 500])
def test_bodies_of_other_answers_are_bounded_too(
    status: int, shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", (catalogue.BOMB - 1) << 20)

    def explode(good: Good) -> bytes:
        return catalogue.bomb(Good(status, {**good.headers, "location": "/crm/v1/leads"}, good.body))

    with (
        FaultyProxy(shared_sandbox.url, catalogue.answers(explode), times=None) as proxy,
        client(proxy.url) as asking,
        pytest.raises(AnswerError, match="larger than"),
    ):
        asking.get("/v1/leads")
    assert proxy.struck == 1


def test_a_redirect_loop_ends(shared_sandbox: SandboxServer) -> None:
    moved = catalogue.answers(lambda good: good.message(b"", status=302, location="/crm/v1/leads"))
    with FaultyProxy(shared_sandbox.url, moved, times=None) as proxy, client(f"{proxy.url}/crm") as asking:
        with pytest.raises(RequestFailed, match="more than 5 redirects"):
            asking.get("/v1/leads")
        assert len(proxy.targets) == 6


def test_a_body_that_is_refused_is_not_shown_beyond_its_beginning(shared_sandbox: SandboxServer) -> None:
    """An error page that repeats the credential: masked, also where the excerpt's end would cut it in two."""
    for filler in range(0, 400, 7):
        page = (b"x" * filler) + TOKEN.encode() * 200
        wrong = catalogue.answers(lambda good, page=page: good.message(page, status=200, content_type="text/html"))
        with (
            FaultyProxy(shared_sandbox.url, wrong, times=None) as proxy,
            client(proxy.url) as asking,
            pytest.raises(AnswerError) as refused,
        ):
            asking.get("/v1/leads")
        shown = str(refused.value)
        assert not any(TOKEN[:size] in shown for size in range(4, len(TOKEN) + 1)), shown
        assert len(shown) < 400
