"""`platform-assets import` writes a platform's file that runs, and says what it mended, assumed and left out."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platform_assets.cli import main
from platform_assets.importing.dlt_config import import_document
from platform_assets.platform_files import read_platform
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT, command
from tests.importing.dlt_documents import read_document
from tests.warehouse_rows import query

CONFIGS = ROOT / "tests" / "importing" / "configs"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `import` in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["platform-assets", "import", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return call


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(
        "import os\nopen('ran', 'w')\n"
        "rest_api_source({'client': {'base_url': 'https://api.shop.dev', 'auth': {'token': 's3cr3t'}},"
        " 'resources': [{'name': 'orders', 'primary_key': 'id', 'processing_steps': [{'map': lambda x: x}]},"
        " {'name': 'items', 'endpoint': 'orders/{order_id}/items'}]})"
    )
    return file


def test_the_file_is_read_and_never_run_and_the_platform_is_found(run: Run, shop: Path, tmp_path: Path) -> None:
    code, out, err = run(shop)
    assert code == 0, err
    assert not (tmp_path / "ran").exists()
    assert platform_named("shop") == read_platform(tmp_path / "platforms" / "shop.yaml")
    assert [one.name for one in platform_named("shop").resources] == ["orders", "items"]
    assert out.startswith("platforms/shop.yaml: 2 resources; 1 not carried, ")
    assert "  orders: processing_steps[0].map: functions are never run; do it in a dbt model\n" in out
    assert "  items: path {order_id}: its parent is declared nowhere; the parent is `orders`" in out
    assert out.endswith(
        "next:\n  set SOURCES__SHOP__API_TOKEN\n  platform-assets check --platform shop\n"
        "  platform-assets sync --platform shop\n"
    )
    assert "s3cr3t" not in out + (tmp_path / "platforms" / "shop.yaml").read_text()


def test_strict_fails_where_something_could_not_be_carried(run: Run, shop: Path) -> None:
    assert run(shop, "--strict")[0] == 1
    shop.write_text("c = {'client': {'base_url': 'https://api.shop.dev'}, 'resources': ['orders']}")
    assert run(shop, "--strict", "--force")[0] == 0


def test_the_report_as_json_has_every_finding(run: Run, shop: Path) -> None:
    document = json.loads(run(shop, "--json", "--name", "mine", "--into", "here")[1])
    assert document["file"] == "here/mine.yaml" and document["platform"] == "mine"
    assert document["carried"] is False and document["resources"] == ["orders", "items"]
    found = {"severity": "not carried", "resource": "orders", "what": "processing_steps[0].map"}
    assert any(found.items() <= one.items() for one in document["findings"])


def test_python_reads_back_as_the_same_platform(run: Run, tmp_path: Path) -> None:
    assert run(CONFIGS / "device_management.md", "--name", "devices", "--format", "python")[0] == 0
    space: dict[str, object] = {}
    exec((tmp_path / "platforms" / "devices.py").read_text(), space)
    found = import_document(read_document(CONFIGS / "device_management.md"), "devices")
    assert space["PLATFORM"] == found.platform


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("absent.py",), "error: absent.py: No such file or directory\n"),
        (("empty.py",), "error: empty.py: no dlt `rest_api` configuration found"),
        (("shop.py", "--name", "../evil"), "error: '../evil' cannot be a platform's name"),
        (("shop.py", "--name", "crm"), "error: the package has a platform 'crm'"),
        (("shop.py", "--like", "nobody"), "error: no platform is called 'nobody'"),
        (("shop.py", "--sample"), "error: shop: setting `api_token` is missing"),
    ],
)
def test_nothing_is_written_and_one_line_says_why(
    words: tuple[str, ...], reason: str, run: Run, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.py").touch()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err.startswith(reason)
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced_and_a_link_is_not_followed(
    run: Run, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.yaml").write_text("mine")
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "shop.yaml").symlink_to(tmp_path / "outside.yaml")
    assert run(shop)[2].startswith("error: platforms/shop.yaml is there already: --force replaces it")
    assert run(shop, "--force")[0] == 0
    assert (tmp_path / "outside.yaml").read_text() == "mine"
    assert not (tmp_path / "platforms" / "shop.yaml").is_symlink()


def test_text_of_the_file_does_not_command_the_terminal(run: Run, shop: Path) -> None:
    shop.write_text("c = {'client': {'base_url': 'https://api.shop.dev'}, 'resources': ['orders'], '\\x1b]0;evil': 1}")
    assert "\x1b" not in run(shop)[1]


def test_a_sample_finds_types_one_object_and_keys(
    run: Run, shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCES__CI__BASE_URL", shared_sandbox.base_url("ci_analytics"))
    monkeypatch.setenv("SOURCES__CI__API_KEY", shared_sandbox.token("ci_analytics"))
    code, out, err = run(CONFIGS / "ci_analytics.md", "--name", "ci", "--sample")
    assert code == 0, err
    token = read_platform(tmp_path / "platforms" / "ci.yaml").resource("access_token")
    assert token.primary_key == "uuid"
    assert "  access_token: paginator: the answer is one object, not a list: `SingleObject()`\n" in out
    assert "its type is declared nowhere" not in out


@pytest.mark.slow
def test_from_a_document_to_rows(shared_sandbox: SandboxServer, tmp_path: Path, warehouse_file: Path) -> None:
    env = {
        "SOURCES__LOADS__BASE_URL": shared_sandbox.base_url("load_testing"),
        "SOURCES__LOADS__API_TOKEN": shared_sandbox.token("load_testing"),
    }
    document = CONFIGS / "load_testing.md"
    assert (
        command("import", str(document), "--name", "loads", "--like", "load_testing", env=env, cwd=tmp_path).returncode
        == 0
    )
    synced = command("sync", "--platform", "loads", "--no-models", env=env, cwd=tmp_path)
    assert synced.returncode == 0, synced.stderr + synced.stdout
    assert query(warehouse_file, "SELECT count(*) FROM loads.projects")[0][0] > 100
