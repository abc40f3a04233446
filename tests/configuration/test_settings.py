"""A setting is used, or refused with the nearest valid name: by both `check` and `sync`, before anything loads."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

from platform_assets.cli import main
from platform_assets.configuration import unknown_settings
from platform_assets.configuration.known import known_keys
from platform_assets.configuration.platform_settings import read_settings
from platform_assets.configuration.reference import render
from platform_assets.declarations import (
    Client,
    Configured,
    Endpoint,
    NoAuth,
    Platform,
    Resource,
    SettingsError,
    SinglePage,
)
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT, command
from tests.settings import Point, PointAt
from tests.tiers import one_in, only

SECRET = "hush-s3cret"


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, in this process."""
    monkeypatch.setattr("sys.argv", ["platform-assets", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


MISSPELT = {
    "SOURCES__CRM__PAGESIZE": "SOURCES__CRM__PAGE_SIZE",
    "SOURCE__CRM__BASE_URL": "SOURCES__CRM__BASE_URL",
    "SORUCES__CRM__API_TOKEN": "SOURCES__CRM__API_TOKEN",
    "SOURCES__CMR__API_TOKEN": "SOURCES__CRM__API_TOKEN",
    "SOURCE__CMR__BASEURL": "SOURCES__CRM__BASE_URL",
    "SOURCES__ERROR_TRACKING__ORGANISATION": "SOURCES__ERROR_TRACKING__ORGANIZATION",
    "WAREHOUSE__DESTINATON": "WAREHOUSE__DESTINATION",
    "WAREHOSE__THREADS": "WAREHOUSE__THREADS",
    "ALERT__WEBHOOK_URL": "ALERTS__WEBHOOK_URL",
    "warehouse__threads": "WAREHOUSE__THREADS",
    "SOURCES_CRM_BASE_URL": "SOURCES__CRM__BASE_URL",
    "SOURCES__CRM__PAGE_SIZE__": "SOURCES__CRM__PAGE_SIZE",
    "DESTINATON__DUCKDB__CREDENTIALS": "DESTINATION__DUCKDB__CREDENTIALS",
    "DESTINATION__DUCKDB__CREDENTIAL": "DESTINATION__DUCKDB__CREDENTIALS",
    "DESTINATION_DUCKDB_CREDENTIALS": "DESTINATION__DUCKDB__CREDENTIALS",
}


@pytest.mark.parametrize("wrong", MISSPELT)
def test_a_misspelt_variable_is_reported_with_a_suggestion(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wrong, SECRET)
    (line,) = unknown_settings(all_platforms())
    assert line.startswith(f"{wrong}: ") and line.endswith(f"did you mean {MISSPELT[wrong]}?")
    assert SECRET not in line


@pytest.mark.parametrize("wrong", ["SOURCES__PAGE_SIZE", "SOURCES__CRM__NONSENSE_OF_MINE", "SOURCES__NOBODY_AT_ALL__X"])
def test_an_unknown_variable_without_a_near_match_lists_all_settings(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(wrong, SECRET)
    (line,) = unknown_settings(all_platforms())
    assert line.startswith(f"{wrong}: ") and "; there are " in line and SECRET not in line


def test_known_and_unrelated_variables_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for section, keys in known_keys(all_platforms()).items():
        for key in keys:
            monkeypatch.setenv(f"{section}.{key}".replace(".", "__").upper(), "x")
    for name in ("DESTINATION__DUCKDB__CREDENTIALS", "RUNTIME__LOG_LEVEL", "RESOURCES__X", "COURSES__A", "A__B", "__X"):
        monkeypatch.setenv(name, "x")
    assert unknown_settings(all_platforms()) == []


def test_settings_of_excluded_platforms_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__SHOP__ANYTHING", "x")
    assert unknown_settings(all_platforms(), ["shop"]) == []
    assert len(unknown_settings(all_platforms())) == 1


def test_sync_and_check_refuse_a_misspelt_setting_before_anything_loads(
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    warehouse_file: Path,
) -> None:
    point_at(shared_sandbox)
    monkeypatch.setenv("SOURCES__CRM__PAGESIZE", "10")
    code, out, err = run(monkeypatch, capsys, "sync", "--platform", "crm")
    assert code == 1 and err.strip().endswith("did you mean SOURCES__CRM__PAGE_SIZE?") and err.count("\n") == 1
    code, out, err = run(monkeypatch, capsys, "check", "--platform", "crm")
    assert code == 1 and "did you mean SOURCES__CRM__PAGE_SIZE?" in out and "crm: ok" in out
    assert not warehouse_file.exists()


WRONG = {
    "SOURCES__CRM__ALLOWED_LAG": ["1h", "0", "-1", "nan", "1_000", "1e10"],
    "SOURCES__CRM__ALLOW_HTTP": ["maybe", "2", "on"],
    "SOURCES__CRM__PAGE_SIZE": ["0", "ten", "1.5", "true"],
    # With a start date in the future, a filtered list would silently load nothing.
    "SOURCES__CRM__START_DATE": ["yesterday", "2999-01-01"],
    "SOURCES__CRM__READ_TIMEOUT": ["0", "abc", "1e20"],
    "SOURCES__CRM__ANSWER_TIMEOUT": ["1e20"],
    "SOURCES__CRM__BACKOFF_FACTOR": ["1e200"],
    "SOURCES__CRM__BASE_URL": ["api.example.com", "https://u:p@h.example"],
    "WAREHOUSE__DESTINATION": ["mysql", "snowflake", "postgres", "DuckDB"],
    "WAREHOUSE__LOCK_WAIT": ["abc", "-1", "inf", "1e30"],
    "WAREHOUSE__MEMORY_LIMIT": ["abc", "64", "1KB", "1GB'; DROP TABLE x; --"],
    "WAREHOUSE__THREADS": ["abc", "0", "1000000000000"],
    "ALERTS__WEBHOOK_URL": [SECRET],
    "DOCS__URL": ["docs.example.com"],
    "LOGGING__FORMAT": ["xml"],
    "SANDBOX__DAY": ["yesterday"],
    "DESTINATION__DUCKDB__CREDENTIALS": [":memory:", "/dev/null/x.duckdb"],
    "DAGSTER_HOME": ["/dev/null/home", "/etc/hostname"],
}
EVERY_WRONG = [(name, value) for name, values in WRONG.items() for value in values]
ONE_WRONG = [(name, values[0]) for name, values in WRONG.items()]


@pytest.mark.parametrize(
    ("name", "value"), only([*ONE_WRONG, ("WAREHOUSE__DESTINATION", "postgres")], EVERY_WRONG, slow=EVERY_WRONG)
)
def test_check_and_sync_agree_on_every_setting(
    name: str,
    value: str,
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    point_at(shared_sandbox)
    monkeypatch.setenv(name, value)
    expected = {"DAGSTER_HOME": value, "DESTINATION__DUCKDB__CREDENTIALS": ""}.get(name, name)
    if value == "postgres":
        expected = "DESTINATION__POSTGRES__CREDENTIALS"
    before = len(shared_sandbox.requests)
    code, out, err = run(monkeypatch, capsys, "sync", "--platform", "crm", "--no-models")
    assert code == 1 and expected in err and err.startswith("error: ") and err.count("\n") == 1, err
    assert SECRET not in out + err and len(shared_sandbox.requests) == before
    code, out, err = run(monkeypatch, capsys, "check", "--platform", "crm")
    assert code == 1 and out.count("NOT OK") == 1 and expected in out, out
    assert SECRET not in out + err


@pytest.mark.parametrize("value", ["true", "1", "yes", "TRUE", "false", "0", "no"])
def test_a_boolean_setting_accepts_six_spellings(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from platform_assets.configuration import ALLOW_HTTP, read

    monkeypatch.setenv("SOURCES__CRM__ALLOW_HTTP", value)
    assert read("sources.crm", ALLOW_HTTP) is (value.lower() in ("true", "1", "yes"))


@pytest.mark.parametrize("args", [["status"], ["report"], ["sync", "--platform", "crm"]])
@pytest.mark.parametrize(("name", "value"), [("WAREHOUSE__MEMORY_LIMIT", "abc"), ("WAREHOUSE__THREADS", "abc")])
def test_every_command_that_opens_the_warehouse_reports_a_bad_setting_in_one_line(
    args: list[str],
    name: str,
    value: str,
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    warehouse_file: Path,
) -> None:
    point_at(shared_sandbox)
    warehouse_file.touch()
    monkeypatch.setenv(name, value)
    code, _, err = run(monkeypatch, capsys, *args)
    assert code == 1 and err.startswith("error: ") and name in err and err.count("\n") == 1


FILES: Mapping[str, tuple[str, str, str]] = {
    "broken": (
        "secrets.toml",
        f'[sources.crm\napi_token = "{SECRET}"\n',
        ".dlt/secrets.toml is not valid TOML (at line 1",
    ),
    "no text": ("config.toml", "\udcff\udcfe", ".dlt/config.toml cannot be read"),
    "misspelt key": ("config.toml", "[sources.crm]\npage_sise = 10\n", "did you mean `page_size` under [sources.crm]?"),
    "misspelt section": ("config.toml", "[warehose]\nthreads = 1\n", "did you mean `threads` under [warehouse]?"),
    "misspelt secret": (
        "secrets.toml",
        f'[sources.crm]\napi_tokn = "{SECRET}"\n',
        "did you mean `api_token` under [sources.crm]?",
    ),
}


@pytest.mark.parametrize("case", one_in(len(FILES), FILES, slow=1))
def test_a_broken_or_misspelt_settings_file_is_reported_in_one_line(case: str, tmp_path: Path) -> None:
    name, text, expected = FILES[case]
    folder = tmp_path / "here" / ".dlt"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    with SandboxServer() as server:
        env = {
            "SOURCES__CRM__BASE_URL": server.base_url("crm"),
            "SOURCES__CRM__API_TOKEN": server.token("crm"),
            "PYTHONPATH": str(ROOT),
        }
        done = command("sync", "--platform", "crm", "--no-models", env=env, cwd=folder.parent)
        assert server.requests == []
    assert done.returncode == 1 and expected in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and SECRET not in done.stderr + done.stdout


@pytest.mark.slow
def test_settings_in_files_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
    folder = tmp_path / "here" / ".dlt"
    folder.mkdir(parents=True)
    with SandboxServer() as server:
        (folder / "config.toml").write_text(
            f'[sources.crm]\nbase_url = "{server.base_url("crm")}"\npage_size = 7\n'
            '[destination.duckdb]\ncredentials = "other/mine.duckdb"\n[warehouse]\nthreads = 2\n'
        )
        (folder / "secrets.toml").write_text(f'[sources.crm]\napi_token = "{server.token("crm")}"\n')
        done = command("sync", "--select", "crm/notes", "--no-models", env={"PYTHONPATH": str(ROOT)}, cwd=folder.parent)
        queries = [request["query"] for request in server.requests if "limit" in request["query"]]
    assert done.returncode == 0, done.stderr
    # One more than the pages need: each page begins with the last row of the previous one.
    assert {query["limit"] for query in queries} == {"7", "8"}
    assert (folder.parent / "other" / "mine.duckdb").is_file()


@pytest.mark.parametrize("args", one_in(4, [["check"], ["sync"], ["status"], ["dev"]], slow=1))
def test_an_unusable_dlt_setting_is_reported_in_one_line(args: list[str]) -> None:
    done = command(*args, env={"RUNTIME__LOG_LEVEL": "LOUD"})
    assert done.returncode == 1 and "RUNTIME__" in done.stderr and "LOUD" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.fixture
def run_directory(tmp_path: Path) -> Iterator[Path]:
    """A folder whose `.dlt` this process uses when it reads its settings again."""
    context = Container()[PluggableRunContext]
    before = context.context.run_dir
    context.reload(str(tmp_path))
    yield tmp_path
    context.reload(before)


UNUSABLE_IN_A_FILE = {
    "page_size = true": "SOURCES__CRM__PAGE_SIZE must be",
    "page_size = 10.5": "SOURCES__CRM__PAGE_SIZE must be",
    "page_size = [1]": "SOURCES__CRM__PAGE_SIZE must be",
    "start_date = 10:00:00": "SOURCES__CRM__START_DATE must be",
    "allow_http = 2": "SOURCES__CRM__ALLOW_HTTP must be",
    "[warehouse]\ndestination = true": "WAREHOUSE__DESTINATION must be",
    "[warehouse]\nmemory_limit = 2026-01-01": "WAREHOUSE__MEMORY_LIMIT must be",
}


@pytest.mark.parametrize("text", UNUSABLE_IN_A_FILE)
def test_a_value_in_a_file_is_checked_like_a_variable(
    text: str, monkeypatch: pytest.MonkeyPatch, run_directory: Path
) -> None:
    from platform_assets.cli.environment import settings_problems
    from platform_assets.platforms import platform_named

    (run_directory / ".dlt").mkdir()
    (run_directory / ".dlt" / "config.toml").write_text(f"[sources.crm]\n{text}\n")
    monkeypatch.setenv("SOURCES__CRM__BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", SECRET)
    Container()[PluggableRunContext].reload_providers()
    (problem,) = settings_problems([platform_named("crm")])
    assert UNUSABLE_IN_A_FILE[text] in problem and SECRET not in problem


def test_the_files_that_come_with_the_project_hold_known_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    known = known_keys(all_platforms())
    for name in ("config.toml", "secrets.toml.example"):
        text = (ROOT / ".dlt" / name).read_text()
        for document in (text, _uncommented(text)):
            found = tomllib.loads(document)
            sections = {f"sources.{name}": keys for name, keys in found.get("sources", {}).items()}
            for section, keys in {**sections, "warehouse": found.get("warehouse", {})}.items():
                assert set(keys) <= set(known[section]), (name, section)


def _uncommented(text: str) -> str:
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    return "\n".join(line for line in lines if line.startswith("[") or (" = " in line and not line.startswith("A ")))


def test_the_reference_is_up_to_date() -> None:
    """Run `python docs/draw_settings.py` if this fails."""
    assert (ROOT / "docs" / "settings.md").read_text() == render(all_platforms())


def test_every_known_setting_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    for keys in known_keys(all_platforms()).values():
        assert all(key in text for key in keys)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--select", "crm/deals", "--partition", "bucket_03"], "--partition bucket_03: crm/deals has no partitions"),
        (["--select", "crm/deals", "--parent", "17"], "--parent 17: crm/deals has no parents"),
        (["--platform", "device_management", "--partition", "acme"], "--partition acme: device_management/"),
        (["--select", "crm/deels"], "no asset is called 'crm/deels'; did you mean `crm/deals`?"),
        (["--platform", "cmr"], "did you mean `crm`?"),
    ],
)
def test_a_selection_that_matches_nothing_is_refused(
    args: list[str], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(monkeypatch, capsys, "sync", *args)
    assert code == 1 and err.startswith("error: ") and expected in err and err.count("\n") == 1


def test_a_port_in_use_is_reported_in_one_line(
    shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = shared_sandbox.url.rsplit(":", 1)[1]
    code, out, err = run(monkeypatch, capsys, "sandbox", "--port", port)
    assert code == 2 and f"cannot listen on 127.0.0.1:{port}" in err and err.count("\n") == 1 and not out


def test_an_unusable_dagster_home_is_reported_in_one_line(
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    point_at(shared_sandbox)
    home = Path(os.environ["DAGSTER_HOME"])
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: [broken")
    for args in (["sync", "--platform", "crm", "--no-models"], ["check", "--platform", "crm"]):
        code, out, err = run(monkeypatch, capsys, *args)
        assert (
            code == 1 and f"DAGSTER_HOME {home} cannot be used" in out + err and (out + err).count("dagster.yaml") < 3
        )


def test_a_setting_that_fills_requests_of_the_platform_itself_is_required(point: Point) -> None:
    params = {"org": Configured("organization"), "body": Configured("kind")}
    endpoint = Endpoint(path="/{org}/things", params=params, headers={"X-Team": Configured("team")})
    things = Resource(name="things", description="", endpoint=endpoint, columns={"id": "text"})
    client = Client(auth=NoAuth(), probe="/{org}", paginator=SinglePage())
    shop = Platform(name="shop", title="", description="", client=client, resources=(things,))
    point("shop", "http://localhost", ORGANIZATION="a,b", KIND="k")
    with pytest.raises(SettingsError, match="setting `team` is missing: set SOURCES__SHOP__TEAM"):
        read_settings(shop)
    point("shop", "http://localhost", TEAM="t")
    assert read_settings(shop).configured == {"organization": ("a", "b"), "kind": ("k",), "team": ("t",)}
    assert {"organization", "kind", "team"} <= set(known_keys([shop])["sources.shop"])
