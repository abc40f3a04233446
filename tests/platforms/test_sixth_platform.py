"""A sixth platform is one new file, and a file that is broken stops itself only. On a copy of the project."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from platform_assets import platforms
from platform_assets.cli import main
from platform_assets.dbt.program import PARSED
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT, command
from tests.servers.http_server import HttpServer, Reply, Request
from tests.settings import PointAt
from tests.warehouse_rows import query

PLATFORMS = len(all_platforms())
COUNT = sum(len(platform.resources) for platform in all_platforms())
SHOP = """
from platform_assets.declarations import (
    BearerAuth, Buckets, Client, Cursor, Endpoint, Incremental, OnRemoval, PageNumber, Platform, Resolve, Resource,
)

PLATFORM = Platform(
    name="shop",
    title="Shop",
    description="Orders and their lines.",
    client=Client(
        auth=BearerAuth(), probe="/v1/orders", paginator=PageNumber(page_param="page", limit_param="per_page", limit=2)
    ),
    resources=(
        Resource(
            name="orders",
            description="Orders.",
            endpoint=Endpoint(path="/v1/orders", incremental=Incremental(cursor_path="updated_at")),
            columns={"id": "bigint", "updated_at": "timestamp", "total": "double"},
        ),
        Resource(
            name="order_lines",
            description="Lines of an order.",
            endpoint=Endpoint(path="/v1/orders/{order_id}/lines", params={"order_id": Resolve("orders", "id")}),
            partition=Buckets(count=4),
            on_removal=OnRemoval.HARD_DELETE,
            columns={"id": "bigint", "sku": "text"},
        ),
    ),
)
"""
ORDERS = [{"id": n, "updated_at": f"2026-01-0{n}T00:00:00Z", "total": n * 1.5} for n in (1, 2, 3, 4, 5)]
BROKEN = {
    "import": ("import nothing_of_this_name\n" + SHOP, "shop.py:1: ModuleNotFoundError: No module named"),
    "syntax": ("\nPLATFORM = (\n", "shop.py:2: syntax: '(' was never closed"),
    "nothing": ("", "shop.py: has no `PLATFORM = Platform(...)`"),
    "misspelt": (SHOP.replace("limit=2", "limt=2"), "`limt`: there is no such key"),
    "cannot run": (SHOP.replace('"orders", "id"', '"order", "id"'), "`params`: parent 'order' is not a resource of"),
    "another's name": (SHOP.replace('"shop"', '"crm"'), "crm: `name`: two platforms have this name"),
}


def answer(request: Request) -> Reply:
    if request.headers["Authorization"] != "Bearer shop-token":
        return Reply({}, 401)
    order, resource = request.path.split("/")[-2:]
    rows = [{"id": int(order) * 10, "sku": "a"}] if resource == "lines" else ORDERS
    size = int(request.query.get("per_page", 2))
    start = (int(request.query.get("page", 1)) - 1) * size
    return Reply({"data": rows[start : start + size]})


@pytest.fixture(scope="module")
def shop_server() -> Iterator[dict[str, str]]:
    """Settings that point the new platform at a server."""
    with HttpServer(answer) as server:
        yield {"SOURCES__SHOP__BASE_URL": server.url, "SOURCES__SHOP__API_TOKEN": "shop-token"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without what was built."""
    copy = tmp_path_factory.mktemp("copy")
    left = shutil.ignore_patterns("__pycache__", "target", "logs")
    for name in ("platform_assets", "dbt_project", ".dlt"):
        shutil.copytree(ROOT / name, copy / name, ignore=left)
    if (parsed := ROOT / "dbt_project" / PARSED).exists():
        (copy / "dbt_project" / PARSED).parent.mkdir(parents=True)
        shutil.copy(parsed, copy / "dbt_project" / PARSED)
    return copy


def write_shop(project: Path, text: str) -> None:
    (project / "platform_assets" / "platforms" / "shop.py").write_text(text)


def run(project: Path, *words: str, **env: str) -> CompletedProcess[str]:
    return command(*words, env={**env, "PYTHONPATH": str(project)}, cwd=project)


@pytest.mark.slow
def test_a_sixth_platform_is_one_new_file(project: Path, shop_server: dict[str, str], warehouse_file: Path) -> None:
    write_shop(project, SHOP)
    done = run(project, "sync", "--platform", "shop", **shop_server)
    assert done.returncode == 0, done.stdout + done.stderr
    assert query(warehouse_file, "SELECT id, total FROM shop.orders ORDER BY id") == [
        (order["id"], order["total"]) for order in ORDERS
    ]
    assert query(warehouse_file, "SELECT id, sku FROM shop.order_lines ORDER BY id") == [
        (n * 10, "a") for n in range(1, 6)
    ]

    named = run(project, "sync", "--sandbox", "--platform", "shop")
    assert named.returncode == 1 and "SOURCES__SHOP__BASE_URL" in named.stderr and "Traceback" not in named.stderr
    status = run(project, "status", "--platform", "shop")
    assert "shop/orders" in status.stdout and "shop/order_lines" in status.stdout
    check = run(project, "check", "--platform", "shop", **shop_server)
    assert check.returncode == 0 and "shop: ok" in check.stdout

    assert run(project, "dbt-sources", "--check").returncode == 1
    assert run(project, "dbt-sources").returncode == 0
    sources = (project / "dbt_project" / "models" / "staging" / "shop" / "_sources.yml").read_text()
    assert "name: orders" in sources and "name: order_lines" in sources
    assert run(project, "dbt-sources", "--check").returncode == 0


@pytest.mark.long
def test_everything_is_loaded_beside_a_sixth_platform_or_without_it(
    project: Path, shop_server: dict[str, str], warehouse_file: Path
) -> None:
    write_shop(project, SHOP)
    everything = run(project, "sync", "--sandbox")
    assert everything.returncode == 0, everything.stdout + everything.stderr
    assert "shop: left out, it is not configured and the sandbox does not serve it" in everything.stderr
    assert f"{COUNT} of {COUNT} assets" in everything.stdout
    assert f"Row counts of all {COUNT} assets compared with the sandbox's: equal." in everything.stdout

    both = run(project, "sync", "--sandbox", "--no-models", **shop_server)
    assert both.returncode == 0 and f"{COUNT + 2} of {COUNT + 2} assets" in both.stdout, both.stdout + both.stderr
    assert len(query(warehouse_file, "SELECT * FROM shop.orders")) == len(ORDERS), "nothing of it was lost"


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """Puts a file beside the platform files of this process."""

    def put(text: str) -> Path:
        file = tmp_path / "dropped" / "shop.py"
        file.parent.mkdir()
        file.write_text(text)
        return file

    monkeypatch.setattr(platforms, "__path__", [*platforms.__path__, str(tmp_path / "dropped")])
    platforms._load_all.cache_clear()
    yield put
    platforms._load_all.cache_clear()
    sys.modules.pop("platform_assets.platforms.shop", None)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_by_place_and_reason_and_the_others_go_on(
    case: str,
    drop: Callable[[str], Path],
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text, said = BROKEN[case]
    file = drop(text)
    point_at(shared_sandbox)
    monkeypatch.setattr("sys.argv", ["platform-assets", "check"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "NOT OK" in line]
    assert line.startswith(f"shop: NOT OK: {file}") and said in line
    assert len(all_platforms()) == PLATFORMS


@pytest.mark.slow
def test_with_a_broken_file_the_others_are_loaded_and_the_exit_code_is_1(project: Path, warehouse_file: Path) -> None:
    write_shop(project, BROKEN["import"][0])
    done = run(project, "sync", "--sandbox", "--no-models")
    assert done.returncode == 1 and BROKEN["import"][1] in done.stderr and "Traceback" not in done.stderr
    assert f"{COUNT} of {COUNT} assets" in done.stdout, done.stdout
    assert query(warehouse_file, "SELECT count(*) > 0 FROM crm.deals") == [(True,)]
    one = run(project, "sync", "--sandbox", "--no-models", "--select", "crm/roles")
    assert one.returncode == 0 and BROKEN["import"][1] in one.stderr
    broken = run(project, "sync", "--sandbox", "--platform", "shop")
    assert broken.returncode == 1 and "the platform 'shop' cannot be used" in broken.stderr
    status = run(project, "status", "--platform", "crm")
    assert status.returncode == 0 and "crm/deals" in status.stdout and BROKEN["import"][1] in status.stderr


@pytest.mark.slow
def test_with_a_broken_file_dagster_loads_the_others_and_ci_notices(project: Path) -> None:
    write_shop(project, BROKEN["misspelt"][0])
    code = "from platform_assets.definitions import defs; print(len(defs().get_repository_def().get_all_jobs()))"
    done = command(env={"PYTHONPATH": str(project)}, cwd=project, code=code)
    assert done.returncode == 0 and int(done.stdout) > len(all_platforms()), done.stderr
    assert "a platform is left out: platform_assets/platforms/shop.py" in done.stderr
    linted = run(project, "dbt-sources", "--check")
    assert linted.returncode == 1 and BROKEN["misspelt"][1] in linted.stderr
