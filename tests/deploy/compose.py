"""deploy/docker-compose.yml as processes of this machine: the same commands and variables, without Docker.

Each service has a folder of its own as its home and working folder, so that they share nothing on the disk but the
code. What differs from Docker: hosts are the loopback, and ports are free ones.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.cli.command import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8"))
SECONDS = 120
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?:\?|-(?P<default>[^}]*)))?\}")


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The text with Compose's `${NAME}`, `${NAME:?}` and `${NAME:-default}` replaced; KeyError if one is missing."""

    def value(found: re.Match[str]) -> str:
        default = found["default"]
        return variables[found["name"]] if default is None else variables.get(found["name"], default)

    return _VARIABLE.sub(value, text)


class Service:
    """One service of the file as a process, in a home of its own.

    Args:
        addresses: hosts, ports and `host:port` of the file -> those of this machine.
        settings: variables that Compose would read from `.env`.
    """

    def __init__(self, name: str, home: Path, addresses: Mapping[str, str], settings: Mapping[str, str]) -> None:
        self.name = name
        self.home = home
        self._spec = COMPOSE["services"][name]
        self._addresses = {"0.0.0.0": "127.0.0.1", **addresses}
        self._settings = settings
        home.mkdir()
        for file in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(DEPLOY / file, home)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the service: those of the file, and of `.env` only if the file says so."""
        given = {
            name: self._here(interpolated(value, self._settings)) for name, value in self._spec["environment"].items()
        }
        own = self._settings if "env_file" in self._spec else {}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
        return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(self.home), **own, **given}

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._words(self._spec["command"]),
                cwd=self.home,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def is_healthy(self) -> bool:
        """Whether the file's health check of the service succeeds."""
        kind, *words = self._spec["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            self._words(words), cwd=self.home, env=self.environment, capture_output=True, check=False, timeout=SECONDS
        )
        return done.returncode == 0

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.is_healthy():
            ended = self.process is None or self.process.poll() is not None
            assert not ended and time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.5)

    @property
    def log(self) -> Path:
        return self.home / "log"

    def _words(self, words: Sequence[str]) -> list[str]:
        return [self._here(interpolated(word, self._settings)) for word in words]

    def _here(self, text: str) -> str:
        if text in self._addresses:
            return self._addresses[text]
        for there, here in self._addresses.items():
            text = text.replace(there, here) if ":" in there else text
        return text
