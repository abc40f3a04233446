"""Platform files in the user's own folder are platforms beside the package's."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from platform_assets.cli import main
from platform_assets.configuration import unknown_settings
from platform_assets.configuration.platform_settings import is_configured, read_settings
from platform_assets.declarations import SettingsError
from platform_assets.definitions import defs
from platform_assets.platform_files import as_python, as_yaml
from platform_assets.platform_files.reader import parse_platform
from platform_assets.platforms import (
    all_platforms,
    broken_platforms,
    platform_named,
    replaced_platforms,
    shipped_platforms,
)
from tests.cli.command import ROOT, command
from tests.platforms.test_sixth_platform import ORDERS, answer
from tests.servers.http_server import HttpServer
from tests.warehouse_rows import query

SHOP = """\
name: shop
title: Shop
description: Orders and their lines.
base_url: https://shop.example.com
client:
  auth: bearer
  probe: /v1/orders
  paginator: {type: page_number, limit: 2}
resources:
  - name: orders
    description: Orders.
    endpoint: {path: /v1/orders, incremental: {cursor_path: updated_at}}
    columns: {id: bigint, updated_at: timestamp, total: double}
  - name: order_lines
    description: Lines of an order.
    endpoint:
      path: /v1/orders/{order_id}/lines
      params: {order_id: {type: resolve, resource: orders, field: id}}
    partition: {type: dynamic_partitions, name: shop_order}
    columns: {id: bigint, sku: text}
"""
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Writes a file of the user's; the working folder is the one that `platforms` is in."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str, folder: str = "platforms") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", ["shop.yaml", "shop.yml", "shop.py"])
def test_a_file_is_a_platform(put: Put, name: str) -> None:
    assert [one.name for one in all_platforms()] == [one.name for one in shipped_platforms()]
    shop = parse_platform(SHOP, name)
    put(name, as_python(shop) if name.endswith(".py") else SHOP)
    assert platform_named("shop") == shop and len(all_platforms()) == len(shipped_platforms()) + 1
    assert broken_platforms() == () and replaced_platforms() == {}
    assert list(Path("platforms").iterdir()) == [Path("platforms", name)], "it leaves no other file there"


def test_the_folder_is_a_setting(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop.yaml", SHOP, "elsewhere")
    assert len(all_platforms()) == len(shipped_platforms())
    monkeypatch.setenv("PLATFORMS__FOLDER", "elsewhere")
    assert platform_named("shop").title == "Shop" and unknown_settings(all_platforms()) == []
    monkeypatch.delenv("PLATFORMS__FOLDER")
    put("config.toml", '[platforms]\nfolder = "elsewhere"', ".dlt")
    assert platform_named("shop").title == "Shop"
    monkeypatch.setenv("PLATFORMS__FOLDER", "nowhere")
    (broken,) = broken_platforms()
    assert str(broken) == "PLATFORMS__FOLDER: there is no folder nowhere"
    monkeypatch.setenv("PLATFORMS__FOLDR", "elsewhere")
    assert "did you mean PLATFORMS__FOLDER?" in unknown_settings(all_platforms())[0]


def test_an_edit_is_seen_by_the_next_who_asks(put: Put) -> None:
    path = put("shop.yaml", SHOP)
    assert platform_named("shop") is platform_named("shop")
    path.write_text(SHOP.replace("title: Shop", "title: Books"))
    assert platform_named("shop").title == "Books"
    path.unlink()
    with pytest.raises(SettingsError, match="no platform is called 'shop'"):
        platform_named("shop")


@pytest.mark.parametrize(
    ("name", "text", "place", "reason"),
    [
        ("shop.yaml", SHOP.replace("limit:", "limt:"), "platforms/shop.yaml:8", "PageNumber: `limt`: there is no"),
        ("shop.yaml", SHOP.replace("e: orders,", "e: order,"), "platforms/shop.yaml:14", "`params`: parent 'order'"),
        ("shop.yaml", "- 1", "platforms/shop.yaml:1", "the file must be a mapping"),
        ("shop.yaml", SHOP.replace("https://", "ftp://"), "platforms/shop.yaml:1", "`base_url`: must be an address"),
        ("shop.py", "import platform_assets, nothing_of_this_name", "platforms/shop.py:1", "ModuleNotFoundError"),
        ("shop.py", "# platform_assets\n(", "platforms/shop.py:2", "syntax: '(' was never closed"),
        ("shop.py", "import platform_assets", "platforms/shop.py", "has no `PLATFORM = Platform(...)`"),
    ],
)  # fmt: skip
def test_a_broken_file_is_left_out_and_named(put: Put, name: str, text: str, place: str, reason: str) -> None:
    put(name, text)
    put("other.yaml", SHOP.replace("shop", "other").replace("client:", "owners: ['team:x']\nclient:"))
    (broken,) = broken_platforms()
    assert broken.place == place and reason in broken.reason
    assert [one.name for one in all_platforms()] == [*(one.name for one in shipped_platforms()), "other"]
    with pytest.raises(SettingsError, match=f"'shop' cannot be used: {place}"):
        platform_named("shop")


def test_python_that_is_none_of_ours_is_not_run(put: Put, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("android.py", "_shared.py", ".hidden.py"):
        put(name, f"open({str(ran)!r}, 'w')\n")
    put("_private.yaml", "- 1")
    put("notes.txt", "platform_assets")
    assert len(all_platforms()) == len(shipped_platforms()) and broken_platforms() == () and not ran.exists()


def test_two_files_with_one_name_do_not_hide_each_other(put: Put) -> None:
    put("a.yaml", SHOP)
    put("b.yaml", SHOP.replace("title: Shop", "title: Books"))
    assert platform_named("shop").title == "Shop"
    assert [str(broken) for broken in broken_platforms()] == [
        "platforms/b.yaml: shop: `name`: platforms/a.yaml has it too"
    ]


def test_a_file_replaces_the_platform_of_its_name_and_a_broken_one_leaves_it_out(put: Put) -> None:
    crm = platform_named("crm")
    text = as_yaml(crm).replace(f"title: {crm.title}", "title: Ours", 1)
    path = put("mine.yaml", text)
    assert platform_named("crm").title == "Ours" and replaced_platforms() == {"crm": "platforms/mine.yaml"}
    assert [one.name for one in all_platforms()] == [one.name for one in shipped_platforms()]
    path.write_text(text.replace("name: crm", "name: crm\nowners: [nobody]", 1))
    assert "crm" not in [one.name for one in all_platforms()], "its rows would be another platform's"
    with pytest.raises(SettingsError, match=r"'crm' cannot be used: platforms/mine.yaml:1: crm: `owners`"):
        platform_named("crm")


def test_a_declared_address_counts_and_the_setting_replaces_it(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put("shop.yaml", SHOP)
    monkeypatch.setenv("SOURCES__SHOP__API_TOKEN", "t0ken")
    shop = platform_named("shop")
    assert is_configured(shop) and read_settings(shop).base_url == "https://shop.example.com"
    monkeypatch.setenv("SOURCES__SHOP__BASE_URL", "https://other.example.com/")
    assert read_settings(shop).base_url == "https://other.example.com"


def test_dagster_has_its_assets_with_partitions_checks_sensors_and_jobs(put: Put) -> None:
    put("shop.yaml", SHOP)
    repository = defs().get_repository_def()
    keys = {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()}
    assert {"shop/orders", "shop/order_lines"} <= keys
    node = next(one for one in repository.asset_graph.asset_nodes if one.key.to_user_string() == "shop/order_lines")
    assert node.partitions_def is not None and node.check_keys and "bigint" in str(node.metadata)
    assert {"sync_shop", "verify_shop"} <= {job.name for job in repository.get_all_jobs()}
    names = {sensor.name for sensor in repository.sensor_defs} | {one.name for one in repository.schedule_defs}
    assert any("freshness" in name and "shop" in name for name in names), names
    assert any("partition" in name and "shop" in name for name in names), names


@pytest.fixture
def shop_server() -> Iterator[str]:
    with HttpServer(answer) as server:
        yield server.url


def test_check_says_what_is_replaced(
    put: Put, shop_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put("mine.yaml", SHOP.replace("name: shop", "name: crm", 1).replace("https://shop.example.com", shop_server))
    monkeypatch.setenv("SOURCES__CRM__API_TOKEN", "shop-token")
    monkeypatch.setattr(sys, "argv", ["platform-assets", "check", "--platform", "crm"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().out
    assert ended.value.code == 0 and f"crm: ok, {shop_server} accepts" in said, said
    assert "platforms/mine.yaml replaces the platform of this name that the package has" in said


@pytest.mark.slow
def test_every_command_works_with_it_in_any_folder(
    put: Put, shop_server: str, tmp_path: Path, warehouse_file: Path
) -> None:
    put("shop.yaml", SHOP.replace("https://shop.example.com", shop_server))
    (tmp_path / "dbt_project").mkdir()

    def run(*words: str) -> CompletedProcess[str]:
        done = command(*words, env={"SOURCES__SHOP__API_TOKEN": "shop-token", "PYTHONPATH": str(ROOT)}, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    run("check", "--platform", "shop")
    assert "2 of 2 assets" in run("sync", "--platform", "shop").stdout
    assert query(warehouse_file, "SELECT id, total FROM shop.orders ORDER BY id") == [
        (order["id"], order["total"]) for order in ORDERS
    ]
    assert query(warehouse_file, "SELECT count(*) FROM shop.order_lines") == [(len(ORDERS),)]
    assert "shop/order_lines" in run("status", "--platform", "shop").stdout
    run("verify", "--platform", "shop")
    assert json.loads(run("sync", "--platform", "shop", "--json").stdout)["ok"] is True
    run("dbt-sources")
    staging = tmp_path / "dbt_project" / "models" / "staging"
    assert (staging / "crm" / "_sources.yml").exists() and not (staging / "shop").exists()
    (staging / "shop").mkdir()
    run("dbt-sources")
    assert "order_lines" in (staging / "shop" / "_sources.yml").read_text()
