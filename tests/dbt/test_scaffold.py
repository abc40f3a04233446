"""Staging models that are written for a new platform build on its tables, and are formatted as ours are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from platform_assets.cli import main
from platform_assets.dbt.program import project_dir
from platform_assets.dbt.scaffold import quoted, singular, staging_files
from platform_assets.platform_files.reader import parse_platform
from platform_assets.platforms import all_platforms
from tests.dbt.building import load_everything
from tests.servers.stub_api import StubApi, listed
from tests.settings import PointAt
from tests.warehouse_rows import query

SHOP = """\
name: shop
title: Shop
description: Orders and their lines.
client: {auth: bearer, probe: /orders, paginator: {type: single_page}}
resources:
  - name: orders
    description: What was ordered.
    endpoint: {path: /orders}
    columns: {id: bigint, user: text, order: bigint, left: text, isOpen: bool, at: timestamp, 'on': date, notes: json}
  - name: order_lines
    description: Lines of an order, numbered in it.
    endpoint:
      path: /orders/{order_id}/lines
      params: {order_id: {type: resolve, resource: orders, field: id}}
      record: {from_path: {order: order_id}}
    partition: {type: buckets, count: 2}
    primary_key: [order, number]
    columns: {order: bigint, number: bigint, price: double}
"""
ORDER = {"user": "ann", "order": 7, "left": "x", "isOpen": True, "at": "2026-01-01T00:00:00Z", "on": "2026-01-01"}
LINES = {1: [{"number": 1, "price": 1.5}, {"number": 2, "price": 2.5}], 2: [{"number": 1, "price": 3.5}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the shop among its platforms and a dbt project without models or macros."""
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("platforms").mkdir()
    tmp_path.joinpath("platforms", "shop.yaml").write_text(SHOP)
    project = tmp_path / "project"
    project.mkdir()
    for name in ("dbt_project.yml", "profiles.yml", ".sqlfluff"):
        project.joinpath(name).write_text(project_dir().joinpath(name).read_text())
    return tmp_path


def run(*words: str, code: int = 0) -> None:
    sys.argv = ["platform-assets", *words]
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code or 0) == code


def dbt_build(project: Path, warehouse: Path) -> dict[str, str]:
    """Status by node."""
    dbt = Path(sys.executable).with_name("dbt")
    environment = {"PLATFORM_ASSETS_DUCKDB": str(warehouse), "PATH": "/usr/bin:/bin", "HOME": str(project)}
    words = [str(dbt), "build", "--profiles-dir", "."]
    done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    results = json.loads(project.joinpath("target", "run_results.json").read_text())["results"]
    return {result["unique_id"]: result["status"] for result in results}


@pytest.mark.slow
def test_the_models_build_with_their_tests_and_are_formatted(
    folder: Path, warehouse_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = {f"/orders/{number}/lines": listed(lines) for number, lines in LINES.items()}
    with StubApi({"/orders": listed([{"id": number, **ORDER} for number in LINES]), **routes}) as api:
        monkeypatch.setenv("SOURCES__SHOP__BASE_URL", api.url)
        monkeypatch.setenv("SOURCES__SHOP__API_TOKEN", "a-token")
        run("sync", "--platform", "shop", "--no-models")
    run("scaffold-dbt", "shop", "--project", "project")
    statuses = dbt_build(folder / "project", warehouse_file)
    assert set(statuses.values()) <= {"success", "pass"}, statuses
    tests = [node for node in statuses if node.startswith("test.")]
    assert len(tests) == 6, "a key, a key of two columns, and the lines' order"
    found = query(
        warehouse_file, 'SELECT order_id, "user", is_open, is_deleted FROM main_staging.stg_shop__orders ORDER BY 1'
    )
    assert found == [(1, "ann", True, False), (2, "ann", True, False)]
    lines = query(warehouse_file, 'SELECT "order", number, price FROM main_staging.stg_shop__order_lines ORDER BY ALL')
    assert lines == [(1, 1, 1.5), (1, 2, 2.5), (2, 1, 3.5)]
    linter = [str(Path(sys.executable).with_name("sqlfluff")), "lint", "--templater", "jinja", "models"]
    linted = subprocess.run(linter, cwd=folder / "project", capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
def test_the_models_of_every_platform_build(
    folder: Path, warehouse_file: Path, shared_sandbox: object, point_at: PointAt
) -> None:
    point_at(shared_sandbox)  # pyright: ignore[reportArgumentType] -- the fixture is the server
    load_everything()
    for platform in all_platforms():
        if platform.name != "shop":
            run("scaffold-dbt", platform.name, "--project", "project")
    statuses = dbt_build(folder / "project", warehouse_file)
    models = [node for node in statuses if node.startswith("model.")]
    assert len(models) == sum(len(one.resources) for one in all_platforms() if one.name != "shop")
    assert {statuses[node] for node in models} == {"success"}


def test_a_model_that_is_there_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("scaffold-dbt", "shop", "--project", "project")
    model = folder / "project" / "models" / "staging" / "shop" / "stg_shop__orders.sql"
    generated = model.read_text()
    model.write_text("select 1 as mine")
    run("scaffold-dbt", "shop", "--project", "project", code=1)
    assert model.read_text() == "select 1 as mine" and "--force overwrites them" in capsys.readouterr().err
    run("scaffold-dbt", "shop", "--project", "project", "--force")
    assert model.read_text() == generated


def test_columns_are_called_what_people_read_and_no_name_is_there_twice() -> None:
    shop = SHOP.replace("user: text", "order_id: text")
    sql = staging_files(parse_platform(shop, "shop.yaml"))["stg_shop__orders.sql"]
    assert "    id,\n" in sql and "    order_id,\n" in sql, (
        "the key keeps its name, since another column has the better"
    )
    lines = staging_files(parse_platform(SHOP, "shop.yaml"))["stg_shop__order_lines.sql"]
    assert lines.splitlines()[1:4] == ['    "order",', "    number,", "    _orders_id as order_id,"]


def test_reserved_words_are_quoted() -> None:
    assert [quoted(name) for name in ("total", "user", "order", "left", "2nd", "of_it")] == [
        "total",
        '"user"',
        '"order"',
        '"left"',
        '"2nd"',
        "of_it",
    ]


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("orders", "order"),
        ("time_entries", "time_entry"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("status", "status"),
        ("staff", "staff"),
    ],
)
def test_a_row_is_called_in_the_singular(plural: str, one: str) -> None:
    assert singular(plural) == one
