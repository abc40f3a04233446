"""After runs in which every request fails with the credential in its URL or header, no file or log contains it."""

import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from platform_assets.http.redaction import MASK, Redactor
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT
from tests.faults.crashes import LOADER, settings, worker
from tests.servers.faulty_proxy import FaultWriter, FaultyProxy, GoodResponse, Wire
from tests.settings import platform_settings

# Logging of every library at level DEBUG, into the captured output.
WITH_DEBUG_LOGGING = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
sys.argv = sys.argv[1:]
if sys.argv[0] == "platform-assets":
    from platform_assets.cli import main
    main()
else:
    from dagster._cli import main
    main()
"""


def secret(platform: str) -> str:
    """A key with all characters that URLs, JSON and HTML escape."""
    return f"hush/{platform}+=&%\"'<key>"


def encodings(value: str) -> set[bytes]:
    encoded = {quote(value, safe=""), quote(value), quote_plus(value), quote(value, safe="").lower()}
    others = {
        value,
        value.replace("/", "\\/").replace('"', '\\"'),
        value.replace('"', '\\"'),
        b64encode(value.encode()).decode(),
    }
    return {form.encode() for form in encoded | others} | {f"hush/{value[5:8]}".encode()}


def echoing(status: int, body: str) -> FaultWriter:
    """A response that repeats the request's URL and headers."""

    def write_fault(wire: Wire, good: GoodResponse) -> bool:
        wire.send(good.message((body % wire.request).encode(), status=status, content_type="text/html"))
        return True

    return write_fault


FAULTS: dict[str, FaultWriter] = {
    "dropped": lambda wire, good: None,
    "dropped in the body": lambda wire, good: wire.send(good.message(b"{", content_length="100")),
    "500 that repeats it": echoing(500, "<html>cannot answer %s</html>"),
    "400 that repeats it": echoing(400, '{"error": "bad request: %s"}'),
    "HTML that repeats it": echoing(200, "<html>%s</html>"),
    "a key of the body": echoing(200, '{"%s": 1}'),
    "a redirect that repeats it": lambda wire, good: wire.send(
        good.message(b"", status=302, location=f"http://127.0.0.1:1/?again={quote(wire.request, safe='')}")
    ),
}


def places_with_secrets(folder: Path, secrets: Mapping[str, str]) -> Iterator[str]:
    """Files below `folder`, and columns of DuckDB files, that hold a secret."""
    wanted = {form: name for name, value in secrets.items() for form in encodings(value)}
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield from (f"{path}: {name}" for form, name in wanted.items() if form in content)
            yield from (f"the name of {path}" for form in wanted if form.decode() in path.name)
        if path.suffix == ".duckdb":
            yield from columns_with_secrets(path, wanted)


def columns_with_secrets(path: Path, wanted: Mapping[bytes, str]) -> Iterator[str]:
    """DuckDB compresses text, so searching the file's bytes is not enough."""
    with duckdb.connect(str(path), read_only=True) as connection:
        columns = connection.execute("SELECT table_schema, table_name, column_name FROM information_schema.columns")
        for schema, table, column in columns.fetchall():
            for form in wanted:
                query = f'SELECT count(*) FROM "{schema}"."{table}" WHERE contains(CAST("{column}" AS VARCHAR), ?)'
                if connection.execute(query, [form.decode()]).fetchall() != [(0,)]:
                    yield f"{schema}.{table}.{column}"


def run(args: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", WITH_DEBUG_LOGGING, *args],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder for everything that a run writes, and the settings for it, with logging at level DEBUG."""
    (tmp_path / "all" / "tmp").mkdir(parents=True)
    (tmp_path / "all" / "home").mkdir()
    return tmp_path / "all", {
        "DESTINATION__DUCKDB__CREDENTIALS": str(tmp_path / "all" / "warehouse.duckdb"),
        "DAGSTER_HOME": str(tmp_path / "all" / "home"),
        "TMPDIR": str(tmp_path / "all" / "tmp"),
        "RUNTIME__LOG_LEVEL": "DEBUG",
    }


SECRETS = {platform.name: secret(platform.name) for platform in all_platforms()}


@pytest.mark.slow
def test_runs_in_which_every_request_fails_leave_no_secret(
    place: tuple[Path, dict[str, str]], shared_sandbox: SandboxServer
) -> None:
    folder, environment = place
    faults = list(FAULTS.values())
    turn = iter(range(10**9))

    def fail(wire: Wire, good: GoodResponse) -> bool | None:
        return faults[next(turn) % len(faults)](wire, good)

    with FaultyProxy(shared_sandbox.url, fail, times=None) as proxy:
        for platform in all_platforms():
            url = f"{proxy.url}/{platform.name}"
            environment |= platform_settings(platform.name, url, secret(platform.name))
        outputs = []
        for args in (
            ["platform-assets", "sync", "--no-models"],
            ["platform-assets", "check"],
            ["platform-assets", "status"],
            ["dagster", "job", "execute", "-m", "platform_assets.definitions", "-j", "sync_crm"],
        ):
            code, output = run(args, environment)
            assert code or args[1] == "status", output[-2000:]
            outputs.append(output)
        assert proxy.faults_served > 100
    assert any(secret("crm") in target or quote_plus(secret("crm")) in target for target in proxy.targets)
    all_output = "\n".join(outputs)
    assert "urllib3.connectionpool" in all_output and MASK in all_output, "debug logs are captured and redacted"
    (folder / "output.txt").write_text(all_output)
    assert list(places_with_secrets(folder, SECRETS)) == []


def test_a_killed_load_leaves_no_secret(tmp_path: Path) -> None:
    with SandboxServer(latency=0.02) as server:
        environment = settings(server, tmp_path)
        with worker(LOADER, ["crm"], environment) as process:
            assert process.stdin is not None
            print("go", file=process.stdin, flush=True)
            while not list((tmp_path / "tmp").glob("platform-assets-run-*/buffer/*/*")):
                assert process.poll() is None, "it ended before pages were on disk"
                time.sleep(0.01)
        assert list(places_with_secrets(tmp_path, {"crm": server.token("crm")})) == []


@pytest.mark.parametrize("name", SECRETS)
def test_the_redactor_masks_every_encoding(name: str) -> None:
    redact = Redactor([secret(name)])
    for form in encodings(secret(name)) - {f"hush/{secret(name)[5:8]}".encode()}:
        assert redact(f"a {form.decode()} b") == f"a {MASK} b"
