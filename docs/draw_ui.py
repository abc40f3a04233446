"""Draws docs/ui-*.png, pictures of the Dagster UI on the sandbox's data: `python docs/draw_ui.py`.

Loads everything into a new DuckDB file, opens the UI on it (two minutes), and makes a run fail by a wrong token.
Needs Chromium.
"""

import argparse
import base64
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from chromium import COMMAND, FLAGS, program
from websockets.sync.client import ClientConnection, connect

DOCS = Path(__file__).parent
# Width of the window in CSS pixels, and how many pixels of the picture each has: text is readable at half of it.
WIDTH = 1120
SCALE = 1.25
# Seconds to wait for a page, or for the UI to start.
PATIENCE = 90
# Seconds that the UI's animations take.
SETTLED = 2


def main() -> None:
    """Load, open the UI, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=3900, help="of the UI")
    port = parser.parse_args().port
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        variables = {
            **os.environ,
            "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
            "DAGSTER_HOME": str(folder / "dagster_home"),
            "SANDBOX__DAY": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        subprocess.run([*COMMAND, "sync", "--sandbox"], check=True, env=variables, cwd=DOCS.parent)
        with _ui(port, variables, folder) as sandbox, Browser(folder) as browser:
            _pictures(browser, f"http://127.0.0.1:{port}", sandbox, variables)


def _pictures(browser: "Browser", url: str, sandbox: str, variables: Mapping[str, str]) -> None:
    browser.open(f"{url}/asset-groups", 640)
    browser.click("Hide navigation")
    # The group that fits.
    browser.open(f"{url}/asset-groups?expanded=global@global:load_testing", 920)
    browser.wait_for("stg_load")
    browser.hide_list()
    browser.picture(DOCS / "ui-lineage.png")
    browser.open(f"{url}/assets/crm/deals", 1000)
    browser.wait_for("update_time")
    browser.wait_for("Passing")
    browser.picture(DOCS / "ui-asset.png")
    browser.open(f"{url}/assets/ci_analytics/organizations_pipelines?view=partitions&partition=acme", 700)
    browser.wait_for("parents_read")
    browser.picture(DOCS / "ui-partitions.png")
    browser.open(f"{url}/runs/{_failed_run(url, sandbox, variables)}?logs=type:STEP_FAILURE", 900)
    browser.wait_for("what to do:")
    # Below the reason is a stack trace, with paths of this machine.
    browser.picture(DOCS / "ui-failed-run.png", height=600)


def _failed_run(url: str, sandbox: str, variables: Mapping[str, str]) -> str:
    """The id of a run that fails because the server refuses the token, into a warehouse of its own."""
    refused = {
        "SOURCES__CRM__BASE_URL": f"{sandbox}/crm",
        "SOURCES__CRM__API_TOKEN": "expired",
        "DESTINATION__DUCKDB__CREDENTIALS": f"{variables['DAGSTER_HOME']}/refused.duckdb",
    }
    command = [*COMMAND, "sync", "--select", "crm/deals", "--no-models"]
    done = subprocess.run(command, check=False, env={**variables, **refused}, cwd=DOCS.parent)
    if done.returncode != 1:
        raise SystemExit(f"a sync with a wrong token ended with {done.returncode}")
    query = "{runsOrError(filter: {statuses: [FAILURE]}, limit: 1) {... on Runs {results {runId}}}}"
    request = Request(f"{url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as response:
        (run,) = json.load(response)["data"]["runsOrError"]["results"]
    return run["runId"]


@contextmanager
def _ui(port: int, variables: Mapping[str, str], folder: Path) -> Iterator[str]:
    """The UI, until the context ends; the address of its sandbox."""
    log = folder / "dev.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, "dev", "--sandbox", "--port", str(port)],
            env={**variables, "PYTHONUNBUFFERED": "1"},
            cwd=DOCS.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _until(lambda: f"Dagster UI: http://127.0.0.1:{port}" in log.read_text(), "the UI to start")
            found = re.search(r"sandbox: (\S+) serves", log.read_text())
            if found is None:
                raise SystemExit("the UI does not say where its sandbox is")
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def _until(condition: Any, name: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited {PATIENCE} s for {name}")
        time.sleep(0.2)


class Browser:
    """A page in Chromium, driven by its DevTools protocol: a picture can wait for what the page loads."""

    def __init__(self, folder: Path) -> None:
        profile = Path(tempfile.mkdtemp(dir=folder))
        self._process = subprocess.Popen(
            [program(), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        active = profile / "DevToolsActivePort"
        _until(active.exists, "Chromium to start")
        address = f"http://127.0.0.1:{active.read_text().split()[0]}"
        with urlopen(Request(f"{address}/json/new?about:blank", method="PUT")) as response:
            page = json.load(response)["webSocketDebuggerUrl"]
        self._open = ExitStack()
        self._connection: ClientConnection = self._open.enter_context(connect(page, max_size=None))
        self._sent = 0

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def open(self, url: str, height: int) -> None:
        """Load a page in a window of this height."""
        self._send(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=SCALE, mobile=False
        )
        self._send("Page.navigate", url=url)

    def wait_for(self, text: str) -> None:
        """Wait until the page shows a text."""
        _until(lambda: self.run(f"document.body.innerText.includes({json.dumps(text)})"), f"the page to show {text}")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self._send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def click(self, text: str) -> None:
        """Click what shows exactly this text."""
        path = json.dumps(f"//*[normalize-space(text())={json.dumps(text)}]")
        find = f"document.evaluate({path}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue"
        _until(lambda: self.run(f"(found => {{ found?.click(); return !!found }})({find})"), text)

    def hide_list(self) -> None:
        """Hide the list beside the lineage, and fit the lineage to the window by a double click beside it."""
        self.run(
            "document.querySelector('[placeholder^=Jump]').closest('div:has(button)').querySelector('button').click()"
        )
        time.sleep(SETTLED)
        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                self._send("Input.dispatchMouseEvent", type=kind, x=300, y=200, button="left", clickCount=count)

    def picture(self, target: Path, height: int | None = None) -> None:
        """Write what the window shows, or as much of it from the top."""
        time.sleep(SETTLED)
        part = {"clip": {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}} if height else {}
        target.write_bytes(base64.b64decode(self._send("Page.captureScreenshot", format="png", **part)["data"]))
        print(f"written: {target}")

    def _send(self, method: str, **parameters: object) -> dict[str, Any]:
        self._sent += 1
        self._connection.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._connection.recv(PATIENCE))
            if answer.get("id") == self._sent:
                if "error" in answer:
                    raise SystemExit(f"Chromium: {method}: {answer['error']['message']}")
                return answer["result"]


if __name__ == "__main__":
    main()
