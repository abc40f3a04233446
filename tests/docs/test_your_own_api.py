"""docs/your-own-api.md, followed by the letter in an empty folder."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.cli.command import ROOT
from tests.servers.postgres import free_port
from tests.warehouse_rows import query

PAGE = ROOT / "docs" / "your-own-api.md"
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+)\n")
SECONDS = 120
ASSETS = json.dumps({"query": "{ assetNodes { assetKey { path } } }"}).encode()

pytestmark = pytest.mark.slow


@contextmanager
def running(words: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(SECONDS)


def assets_shown(port: int) -> set[str]:
    """The assets that the UI has, once it answers."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            address = Request(f"http://127.0.0.1:{port}/graphql", ASSETS, {"Content-Type": "application/json"})
            with urlopen(address, timeout=10) as response:
                nodes = json.load(response)["data"]["assetNodes"]
            if nodes:
                return {"/".join(node["assetKey"]["path"]) for node in nodes}
        except (URLError, OSError, KeyError, TypeError):
            pass
        assert time.monotonic() < deadline, "the UI did not answer"
        time.sleep(0.5)


class Reader:
    """Somebody who follows the page in a folder, on ports that are free."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api, self.ui = free_port(), free_port()
        scripts = folder / "bin"
        scripts.mkdir()
        program = f'#!/bin/sh\nexec "{sys.executable}" -c "from platform_assets.cli import main; main()" "$@"\n'
        scripts.joinpath("platform-assets").write_text(program)
        scripts.joinpath("platform-assets").chmod(0o755)
        path = os.pathsep.join([str(scripts), str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SOURCES__", "DESTINATION__"))
        }
        kept.pop("DAGSTER_HOME", None)
        self.environment = {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"}

    def follow(self, kind: str, text: str) -> Iterator[tuple[str, str]]:
        """Do what a block says; each command with what it printed."""
        text = text.replace("8765", str(self.api))
        if kind == "python":
            self.folder.joinpath("shop_server.py").write_text(text)
        elif kind == "yaml":
            named = FILE.match(text)
            assert named is not None
            file = self.folder / named[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        for line in text.splitlines() if kind == "console" else ():
            yield line, self.run(line)

    def run(self, line: str) -> str:
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environment[name] = value
            return ""
        if words[1:2] == ["dev"]:
            with running([*words, "--port", str(self.ui)], self.folder, self.environment):
                return " ".join(assets_shown(self.ui))
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


def test_the_page_leads_from_a_url_to_the_ui(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    (python, source), (_, start), *others = FENCED.findall(PAGE.read_text())
    list(reader.follow(python, source))
    server = [sys.executable, *shlex.split(start.replace("8765", str(reader.api)))[1:]]
    with running(server, tmp_path, reader.environment):
        printed = [done for kind, text in others for done in reader.follow(kind, text)]
    syncs = [output for line, output in printed if " sync " in line]
    assert [re.findall(r"^shop/(\w+) +(\d+) +(\d+) +\d+", output, re.MULTILINE) for output in syncs] == [
        [("orders", "7", "7")],
        [("orders", "7", "7"), ("order_lines", "14", "14")],
        [("orders", "7", "0"), ("order_lines", "14", "0")],
    ]
    warehouse = tmp_path / "data" / "warehouse.duckdb"
    assert query(warehouse, "SELECT count(*), sum(total) FROM shop.orders") == [(7, 266.0)]
    lines = "SELECT count(*), count(DISTINCT order_id) FROM main.stg_shop__order_lines"
    assert query(warehouse, lines) == [(14, 7)]
    assert "shop/order_lines" in tmp_path.joinpath("shop.html").read_text().replace("<wbr>", "")
    assert {"shop/orders", "shop/order_lines"} <= set(printed[-1][1].split())
