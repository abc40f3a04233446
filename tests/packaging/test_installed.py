"""An installed wheel, in an empty folder of an empty environment, does what a checkout does.

`make test-package` runs it: it installs everything anew for each Python that this machine has.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import duckdb
import pytest

from platform_assets.dbt.program import PARSED
from tests.cli.command import ROOT
from tests.components.project import DECLARATION
from tests.servers.stub_api import StubApi, listed

pytestmark = pytest.mark.package
PYTHONS = ("3.11", "3.12", "3.13")
UV = str(ROOT / ".tools" / "bin" / "uv")
LOCATIONS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name jobs { name } } } } }"


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, env=plain_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def plain_environment() -> dict[str, str]:
    """Of this process, without what a checkout or its tests have set."""
    left_out = (
        "PYTHON",
        "VIRTUAL_ENV",
        "DAGSTER",
        "SOURCES__",
        "DESTINATION__",
        "SANDBOX__",
        "WAREHOUSE__",
        "UV_PROJECT",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def interpreter(version: str) -> str | None:
    """Of pyenv, whose programs on the PATH may not start, or on the PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    of_pyenv = sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")))
    return next(iter(of_pyenv), None) or shutil.which(f"python{version}")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout, and the wheel that is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run("make", "build", f"DIST={folder}", cwd=ROOT)
    return folder


@pytest.fixture(scope="module", params=PYTHONS)
def environment(
    request: pytest.FixtureRequest, distributions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The `bin` folder of an environment that has only the wheel."""
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"this machine has no Python {request.param}")
    folder = tmp_path_factory.mktemp("environment")
    (wheel,) = distributions.glob("*.whl")
    run(UV, "venv", "--quiet", "--python", python, str(folder), cwd=folder)
    run(UV, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), str(wheel), cwd=folder)
    yield folder / "bin"
    shutil.rmtree(folder)


def test_the_first_command_and_the_ui(environment: Path, tmp_path: Path) -> None:
    program = str(environment / "platform-assets")
    output = run(program, "sync", "--sandbox", cwd=tmp_path)
    assert "47 of 47 assets and 69 dbt models" in output and "compared with the sandbox's: equal" in output
    assert "47 assets: 47 ok" in run(program, "status", cwd=tmp_path)
    with duckdb.connect(str(tmp_path / "data" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM marts.platform_health").fetchall() == [(5,)]
    (project,) = (tmp_path / "data" / "dagster_home" / "dbt_project").iterdir()
    (packaged,) = environment.parent.glob("lib/*/site-packages/platform_assets/dbt/packaged_project")
    assert (project / PARSED).read_bytes() == (packaged / PARSED).read_bytes()

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [program, "dev", "--port", str(port)]
    with (
        (tmp_path / "dev.log").open("w") as log,
        subprocess.Popen(command, cwd=tmp_path, env=plain_environment(), stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + 120
            while f"Dagster UI: http://127.0.0.1:{port}" not in (tmp_path / "dev.log").read_text():
                assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "dev.log").read_text()
                time.sleep(0.2)
            while not (nodes := repositories(port)):
                assert time.monotonic() < deadline, (tmp_path / "dev.log").read_text()
                time.sleep(0.2)
            assert "sync_all" in [job["name"] for job in nodes[0]["jobs"]]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_a_component_in_a_new_project_of_create_dagster(environment: Path, tmp_path: Path) -> None:
    packages = ["create-dagster", "dagster-dg-cli"]
    run(UV, "pip", "install", "--quiet", "--python", str(environment / "python"), *packages, cwd=tmp_path)
    run(str(environment / "create-dagster"), "project", "proj", "--no-uv-sync", cwd=tmp_path)
    project = tmp_path / "proj"
    (project / "shop.yaml").write_text(DECLARATION)
    lines = [{"id": 10, "sku": "s0"}, {"id": 11, "sku": "s1"}]
    with StubApi() as api:
        api.routes["/v1/orders"] = listed([{"id": 1, "updated_at": "2026-01-01T00:00:00Z", "total": 1.5}])
        api.routes["/v1/orders/1/lines"] = listed(lines)
        api.routes["/v1/orders/1/returns"] = listed([])
        settings = [f"SOURCES__SHOP__BASE_URL={api.url}", "SOURCES__SHOP__API_TOKEN=t0ken"]
        (project / "home").mkdir()
        (project / "home" / "dagster.yaml").touch()
        places = [
            f"PYTHONPATH={project / 'src'}",
            f"DAGSTER_HOME={project / 'home'}",
            f"PATH={environment}:/usr/bin:/bin",
        ]

        def dg(*words: str) -> str:
            return run("env", *settings, *places, str(environment / "dg"), *words, cwd=project)

        assert "platform_assets.PlatformComponent" in dg("list", "components", "--json")
        dg("scaffold", "defs", "platform_assets.PlatformComponent", "shop", "--from", "shop.yaml")
        assert "All definitions loaded successfully" in dg("check", "defs")
        dg("launch", "--assets", "key:shop/orders")
        dg("launch", "--job", "sync_shop")
    with duckdb.connect(str(project / "data" / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT id FROM shop.orders").fetchall() == [(1,)]
        rows = connection.execute("SELECT id, sku FROM shop.order_lines ORDER BY id").fetchall()
    assert rows == [(line["id"], line["sku"]) for line in lines]


def repositories(port: int) -> list[dict[str, list[dict[str, str]]]]:
    body = json.dumps({"query": LOCATIONS}).encode()
    request = Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]["repositoriesOrError"].get("nodes", [])
