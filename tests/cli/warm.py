"""A process that has imported what a sync needs, and forks for each command: `python -m tests.cli.warm SOCKET`.

It imports modules and calls nothing, so that a fork has read no setting yet. It ends when its standard input does, so
with the process that started it.
"""

import gc
import importlib
import os
import select
import socket
import sys
from contextlib import suppress
from typing import Any

import orjson

# What a sync imports while it runs, besides what these import.
IMPORTED = (
    "dagster._core.execution.api",
    "dagster._core.storage.event_log.sqlite",
    "dagster._core.storage.runs.sqlite",
    "dagster._core.storage.schedules.sqlite",
    "dlt.destinations.impl.duckdb.factory",
    "dlt.destinations.impl.duckdb.duck",
    "dlt.load.load",
    "dlt.normalize.normalize",
    "duckdb",
    "networkx",
    "platform_assets.cli.sync",
    "platform_assets.cli.verify",
    "platform_assets.definitions",
    "platform_assets.sandbox",
    "platform_assets.sync",
    "platform_assets.warehouse.connection",
    "pyarrow.parquet",
    "uvicorn",
)


def serve(path: str) -> None:
    """Fork for each connection. Returns only in a fork that is to run the command, prepared for it."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # a collection would otherwise copy every page of a fork
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, 0], [], [])
            if listener not in ready:
                os._exit(0)  # without what extensions say about the end of an interpreter
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            _reap()
    _, outputs, _, _ = socket.recv_fds(connection, 1, 2)
    with connection.makefile("rb") as stream:
        asked: dict[str, Any] = orjson.loads(stream.readline())
    pid = os.fork()
    if pid:
        connection.sendall(b"%d\n" % pid)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)
    connection.close()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((nothing, *outputs), (0, 1, 2), strict=True):
        os.dup2(source, target)
        os.close(source)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["-c", *asked["args"]]


def _reap() -> None:
    """Wait for the forks that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    serve(sys.argv[1])
    from platform_assets.cli import main

    main()
