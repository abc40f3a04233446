"""The services of deploy/docker-compose.yml as processes of this machine: the same commands and variables, no Docker.

Each service has a folder of its own in the place of the image's /opt/dagster, so that they share nothing on the disk
but the code. What differs from Docker: hosts are the loopback, and ports are free ones.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tests.cli.command import ROOT

DEPLOY = ROOT / "deploy"
# What the image has in it.
HOME = "/opt/dagster"
COPIED = ("dagster.yaml", "workspace.yaml", "celery")
SECONDS = 120
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?:\?|-(?P<default>[^}]*)))?\}")


def services(*files: str) -> dict[str, dict[str, Any]]:
    """The services of the files below deploy/, the later over the earlier, as Compose merges them."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for name, service in yaml.safe_load((DEPLOY / file).read_text(encoding="utf-8"))["services"].items():
            base = found.get(service["extends"]["service"], {}) if "extends" in service else found.get(name, {})
            found[name] = _merged(base, {key: value for key, value in service.items() if key != "extends"})
    return found


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: _merged(base[name], over[name]) for name in base.keys() & over.keys() if isinstance(over[name], dict)}
    return {**base, **over, **both}


COMPOSE = services("docker-compose.yml")


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """The text with Compose's `${NAME}`, `${NAME:?}` and `${NAME:-default}` replaced; KeyError if one is missing."""

    def value(found: re.Match[str]) -> str:
        default = found["default"]
        return variables[found["name"]] if default is None else variables.get(found["name"], default)

    return _VARIABLE.sub(value, text)


class Service:
    """One service as a process, in a home of its own.

    Args:
        spec: the service, of `services`.
        addresses: hosts, ports and `host:port` of the file -> those of this machine.
        settings: variables that Compose would read from `.env`.
    """

    def __init__(
        self, spec: Mapping[str, Any], home: Path, addresses: Mapping[str, str], settings: Mapping[str, str]
    ) -> None:
        self.home = home
        self.log = home / "log"
        self._spec = spec
        self._addresses = {"0.0.0.0": "127.0.0.1", HOME: str(home), **addresses}
        self._settings = settings
        home.mkdir()
        for name in COPIED:
            source = DEPLOY / name
            shutil.copytree(source, home / name) if source.is_dir() else shutil.copy(source, home)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the service: those of the file, and of `.env` only if the file says so."""
        written = self._spec["environment"].items()
        given = {name: self._here(interpolated(value, self._settings)) for name, value in written}
        own = self._settings if "env_file" in self._spec else {}
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        imported = os.pathsep.join(filter(None, (given.get("PYTHONPATH"), str(ROOT))))
        image = {"DAGSTER_HOME": str(self.home), "RUNTIME__DLTHUB_TELEMETRY": "false"}
        return {**kept, **image, **own, **given, "PATH": path, "PYTHONPATH": imported}

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
            self.kill()

    def kill(self) -> None:
        """As when its machine is gone: kill -9 for it and all its children."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

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

    def _words(self, words: Sequence[str]) -> list[str]:
        return [self._here(interpolated(word, self._settings)) for word in words]

    def _here(self, text: str) -> str:
        if text in self._addresses:
            return self._addresses[text]
        for there, here in self._addresses.items():
            text = text.replace(there, here) if ":" in there or "/" in there else text
        return text
