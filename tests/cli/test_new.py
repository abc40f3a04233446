"""`platform-assets new` writes a platform file that loads and runs."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from platform_assets.cli import main
from platform_assets.declarations import (
    ApiKeyAuth,
    HttpBasicAuth,
    OAuth2ClientCredentials,
    PageNumber,
    Resolve,
    SinglePage,
)
from platform_assets.platforms import platform_named
from tests.cli.command import ROOT, command
from tests.cli.terminal import on_terminal
from tests.platform_files.openapi_api import CUSTOMERS, LOGS, ORDERS, TAGS, TOKEN, answer, lines_of, specification
from tests.servers.http_server import HttpServer
from tests.warehouse_rows import query

URL = ("--base-url", "https://shop.example.com")
ORDERS_LIST = ("--resource", "orders:/v1/orders")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `new` in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["platform-assets", "new", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return call


def test_from_flags_a_file_is_written_that_loads_and_what_to_do_next_is_said(run: Run) -> None:
    code, out, err = run("shop", *URL, *ORDERS_LIST, "--resource", "users:/v1/users", "--data-selector", "data")
    assert code == 0, err
    shop = platform_named("shop")
    assert [one.name for one in shop.resources] == ["orders", "users"] and shop.base_url == URL[1]
    assert shop.client.paginator == SinglePage() and shop.client.data_selector == "data"
    assert out == (
        "written: platforms/shop.yaml (2 resources)\n"
        "next: set SOURCES__SHOP__API_TOKEN, or put it into .dlt/secrets.toml; then\n"
        "  platform-assets check --platform shop\n"
        "  platform-assets sync --platform shop\n"
    )


def test_placeholders_of_a_path_take_the_keys_of_the_lists_that_precede_them(run: Run) -> None:
    lines, parts = "/v1/orders/{order_id}/lines", "/v1/orders/{order_id}/lines/{line}/parts"
    words = (*URL, *ORDERS_LIST, "--resource", f"order_lines:{lines}", "--resource", f"parts:{parts}", "--key", "uid")
    code, out, err = run("shop", *words)
    assert code == 0, err
    shop = platform_named("shop")
    of_order = Resolve(resource="orders", field="uid")
    assert shop.resource("order_lines").endpoint.params == {"order_id": of_order}
    of_line = Resolve(resource="order_lines", field="uid")
    assert shop.resource("parts").endpoint.params == {"order_id": of_order, "line": of_line}
    assert shop.resource("parts").partition is not None
    assert "assumed: {line} of parts is `uid` of `order_lines`" in out


def test_a_placeholder_that_no_list_precedes_is_refused(run: Run, tmp_path: Path) -> None:
    code, _, err = run("shop", *URL, "--resource", "lines:/v1/orders/{order_id}/lines")
    assert code == 1 and "nothing says where {order_id}" in err and "--resource orders:/v1/orders" in err
    assert not (tmp_path / "platforms").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--auth", "api_key", "--auth-name", "X-Key", "--auth-location", "header"),
         ApiKeyAuth(name="X-Key", location="header")),
        (("--auth", "http_basic"), HttpBasicAuth()),
        (("--auth", "oauth2_client_credentials", "--token-url", "/token"),
         OAuth2ClientCredentials(access_token_url="/token")),
        (("--page-size", "50", "--limit-param", "limit", "--python"), PageNumber(limit_param="limit", limit=50)),
        (("--key", "uuid:text"), "uuid"),
    ],
)  # fmt: skip
def test_options_become_keys(run: Run, words: tuple[str, ...], expected: object) -> None:
    code, _, err = run("shop", *URL, *ORDERS_LIST, *words)
    assert code == 0, err
    shop = platform_named("shop")
    assert expected in (shop.client.auth, shop.client.paginator, shop.primary_key)
    assert Path("platforms/shop.py").exists() == ("--python" in words)


def test_a_folder_can_be_named_and_is_then_to_be_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run("shop", *URL, *ORDERS_LIST, "--folder", "mine")
    assert code == 0 and "next: set PLATFORMS__FOLDER to mine" in out and Path("mine/shop.yaml").exists()
    monkeypatch.setenv("PLATFORMS__FOLDER", "mine")
    code, out, _ = run("books", *URL, *ORDERS_LIST)
    assert "next: set PLATFORMS__FOLDER" not in out and platform_named("books") and platform_named("shop")


def test_nothing_is_overwritten_without_force(run: Run) -> None:
    assert run("shop", *URL, *ORDERS_LIST)[0] == 0
    before = Path("platforms/shop.yaml").read_text()
    other = ("--base-url", "https://other.example.com")
    for words in ((), ("--python",), ("--python", "--force")):
        code, _, err = run("shop", *other, *ORDERS_LIST, *words)
        assert code == 1 and "platforms/shop.yaml exists already" in err
        assert Path("platforms/shop.yaml").read_text() == before and not Path("platforms/shop.py").exists()
    assert run("shop", *other, *ORDERS_LIST, "--force")[0] == 0
    assert platform_named("shop").base_url == other[1]
    assert "the package has a platform 'crm'" in run("crm", *URL, *ORDERS_LIST)[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shop", *ORDERS_LIST), "--base-url is missing: there is no terminal to ask on"),
        (("shop", *URL), "--resource is missing"),
        (("Shop", *URL, *ORDERS_LIST), "'Shop' is not snake_case"),
        (("../shop", *URL, *ORDERS_LIST), "'../shop' is not snake_case"),
        (("shop", *URL, "--resource", "orders"), "'orders' is no list"),
        (("shop", *URL, *ORDERS_LIST, *ORDERS_LIST), "two resources load to this table"),
        (("shop", *URL, *ORDERS_LIST, "--auth", "bearr"), "there is no auth 'bearr'; did you mean `bearer`?"),
        (("shop", *URL, *ORDERS_LIST, "--auth", "api_key"), "--auth-name is missing"),
        (("shop", *URL, *ORDERS_LIST, "--key", "id:uuid"), "'id' has type 'uuid'"),
        (("shop", "--base-url", "shop.example.com", *ORDERS_LIST), "`base_url`: must be an address"),
        (("shop", *URL, *ORDERS_LIST, "--limit-param", "limit"), "need --page-size"),
        (("shop", "--openapi", "none.json"), "none.json:1: YAML: there is no such file"),
        (("shop", "--openapi", "none.json", *ORDERS_LIST), "--resource and --openapi contradict each other"),
    ],
)
def test_a_wrong_answer_is_one_line_and_writes_nothing(run: Run, words: tuple[str, ...], said: str) -> None:
    code, _, err = run(*words)
    assert code == 1 and said in err and err.count("\n") == 1 and not Path("platforms").exists()


@pytest.mark.slow
def test_on_a_terminal_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    ended = on_terminal(
        "new",
        "shop",
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        typed=[
            ("(base URL)", "https://shop.example.com"),
            ("Auth: ", "api_key"),
            ("query parameter or header", "X-Key"),
            ("Lists, as", "orders:/v1/orders users:/v1/users"),
            ("Dotted path", "records"),
        ],
    )
    assert ended.code == 0, ended.output
    text = (tmp_path / "platforms" / "shop.yaml").read_text()
    assert "name: X-Key" in text and "data_selector: records" in text and "path: /v1/users" in text


@pytest.mark.slow
def test_a_specification_becomes_tables_with_the_rows_of_the_api(tmp_path: Path, warehouse_file: Path) -> None:
    with HttpServer(answer) as server:
        (tmp_path / "spec.json").write_text(json.dumps(specification(server.url)))
        env = {"PYTHONPATH": str(ROOT), "SOURCES__SHOP__API_TOKEN": TOKEN}
        done = command("new", "shop", "--openapi", "spec.json", env=env, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "left out:\n  GET /me: " in done.stdout and "assumed:\n  orders: " in done.stdout
        for words in (("check",), ("sync", "--no-models"), ("verify",)):
            done = command(words[0], "--platform", "shop", *words[1:], env=env, cwd=tmp_path)
            assert done.returncode == 0, done.stdout + done.stderr
        read = len([one for one in server.requests if one.path == "/v1/orders"])
        done = command("sync", "--platform", "shop", "--no-models", env=env, cwd=tmp_path)
        assert done.returncode == 0
        later = [one for one in server.requests if one.path == "/v1/orders"][read:]
        assert later[0].query["updated_since"] == "2026-01-23T07:55:00Z"
    assert query(warehouse_file, "SELECT id, total, items FROM shop.orders ORDER BY id") == [
        (one["id"], one["total"], json.dumps(one["items"], separators=(",", ":"))) for one in ORDERS
    ]
    assert query(warehouse_file, "SELECT id, sku, quantity, _orders_id FROM shop.order_lines ORDER BY id") == [
        (line["id"], line["sku"], line["quantity"], order["id"])
        for order in ORDERS
        for line in lines_of(int(str(order["id"])))
    ]
    assert query(warehouse_file, "SELECT id, email, vip FROM shop.customers ORDER BY id") == [
        (one["id"], one["email"], one["vip"]) for one in CUSTOMERS
    ]
    assert sorted(query(warehouse_file, "SELECT slug, color FROM shop.tags"), key=str) == sorted(
        ((one["slug"], one["color"]) for one in TAGS), key=str
    )
    logs = query(warehouse_file, "SELECT message, level FROM shop.logs ORDER BY message DESC")
    assert logs == [(one["message"], one["level"]) for one in LOGS], "without a key in the specification"
