"""Many events in one transaction of Dagster's SQLite files, where Dagster makes two to four transactions for each.

A sync of all 47 resources with nothing new stores a thousand events, most of them one after another when a platform
has landed; half of the time that they took was the beginning and end of transactions. Dagster has a batch of its own
(`DAGSTER_EVENT_BATCH_SIZE`), which its SQLite storage stores one by one. Postgres is left as it is. It can go when
tests/patches/test_event_transactions.py::test_dagster_still_makes_transactions_for_every_event fails.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage

# Seconds after which what is stored is committed although more follows, since other writers wait meanwhile (for up to
# 30 seconds, then they fail).
LONGEST = 0.3


@contextmanager
def stored_together(instance: dg.DagsterInstance) -> Iterator[None]:
    """Commit the events that this thread stores within the block together; what was stored before an error too.

    Other threads that use the storage wait for the end of the block, in which nothing slow may be done.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage) or "_connect" in vars(storage):
        yield
        return
    if isinstance(storage._db_lock, type(threading.Lock())):
        # Held here and taken again by each connection.
        storage._db_lock = threading.RLock()  # pyright: ignore[reportAttributeAccessIssue] -- used by `with` only
    with storage._db_lock:
        transactions = _Transactions(storage)
        replaced: dict[str, Any] = {"_connect": transactions.connect, "has_table": transactions.has_table}
        vars(storage).update(replaced)
        try:
            yield
        finally:
            for name in replaced:
                del vars(storage)[name]
            transactions.commit()


class _Transactions:
    """Connections that stay open, one for each file, each with a transaction that has begun."""

    def __init__(self, storage: SqliteEventLogStorage) -> None:
        self._connect: Callable[[str], AbstractContextManager[Any]] = storage._connect
        self._has_table = storage.has_table
        self._thread = threading.get_ident()
        self._open: dict[str, Any] = {}
        self._stack = ExitStack()
        self._uses = 0
        self._began = 0.0

    @contextmanager
    def connect(self, shard: str) -> Iterator[Any]:
        if threading.get_ident() != self._thread:
            with self._connect(shard) as connection:
                yield connection
            return
        if self._open and not self._uses and (self._is_long() or self._may_deadlock(shard)):
            self.commit()
        if not self._open:
            self._began = time.monotonic()
        if shard not in self._open:
            self._open[shard] = self._stack.enter_context(self._connect(shard))
        self._uses += 1
        try:
            yield self._open[shard]
        finally:
            self._uses -= 1

    def _is_long(self) -> bool:
        return time.monotonic() - self._began > LONGEST

    def _may_deadlock(self, shard: str) -> bool:
        """Whether another process could wait for a file that is held here, and hold the one that is needed now.

        It cannot if everybody holds at most one file of a run and the index, and takes the index last.
        """
        return shard not in self._open and shard != INDEX_SHARD_NAME

    def has_table(self, name: str) -> bool:
        if threading.get_ident() != self._thread:
            return self._has_table(name)
        with self.connect(INDEX_SHARD_NAME) as connection:
            return bool(connection.dialect.has_table(connection, name))

    def commit(self) -> None:
        """End the transactions and the connections; errors of a commit are raised."""
        self._open.clear()
        self._stack.close()
