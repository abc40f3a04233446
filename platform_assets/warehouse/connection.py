"""One platform's part of the warehouse: its dlt pipeline, the schema of its tables, and sessions in which it is held.

`open_warehouse` gives a `Warehouse`; `Warehouse.session` takes the lock, reads the schema if it changed, and gives a
`WarehouseSession` (session.py) that reads, and in `Warehouse.writing` writes.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import dlt
from dlt.common.schema import Schema
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.pipeline import Pipeline

from platform_assets.declarations import Platform
from platform_assets.patches.empty_table_load_ids import allow_rows_without_load_id
from platform_assets.patches.setting_hints import remember_hints
from platform_assets.warehouse import state
from platform_assets.warehouse.backends import Backend, Hold, MustBeAlone, configured_backend
from platform_assets.warehouse.errors import WarehouseError
from platform_assets.warehouse.location import lock_wait
from platform_assets.warehouse.run_directory import run_directory
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.staged_session import StagedSession, staging_name
from platform_assets.warehouse.table_layout import ROW_HASH

T = TypeVar("T")


class Warehouse:
    """A platform's tables. Use it inside `session`, which holds the warehouse's lock.

    The dlt pipeline works in a directory of its own, so that runs never share pending files; what must outlive a run
    (schema, cursors) is in the warehouse.

    Attributes:
        folder: the run's directory; callers may put files of the run there.
        schema: dlt's schema of the tables as last seen in the warehouse, None before the first load.
    """

    def __init__(self, platform: Platform, folder: Path) -> None:
        self.platform = platform
        self.folder = folder
        self.schema: Schema | None = None
        self._has_own_tables = False
        self._backend: Backend = configured_backend()
        self._pipeline = self._pipeline_into(platform.name)
        # The pipeline that loads: where loads are staged, into a schema of this run's own.
        self._loading = self._pipeline
        if self._backend.stages_loads:
            self._loading = self._pipeline_into(staging_name(platform.name))

    def _pipeline_into(self, dataset: str) -> Pipeline:
        pipeline: Pipeline = dlt.pipeline(
            pipeline_name=f"platform_assets_{self.platform.name}",
            destination=self._backend.destination(),
            dataset_name=dataset,
            pipelines_dir=str(self.folder / "pipelines" / dataset),
        )
        # dlt's own state is not used, so it is neither read nor written.
        pipeline.config.restore_from_destination = False
        # dlt would leave a load half done on a signal; we end before a load or after it.
        pipeline.runtime_config.intercept_signals = False
        return pipeline

    @contextmanager
    def session(
        self, *, refresh: bool = True, row_bytes: int = 0, wait: float | None = None, alone: bool = False
    ) -> Iterator[WarehouseSession]:
        """Hold the warehouse: for this process alone, or on a server beside others that leave its schema as it is.

        Args:
            refresh: read the schema as the warehouse has it now; without it the last one read is used, which is enough
                if nothing is loaded.
            row_bytes: average width of the rows that will be loaded.
            wait: seconds to wait for another process, `[warehouse] lock_wait` by default.
            alone: exclude every other session of the platform.

        Raises WarehouseError if the warehouse is unavailable, or has tables of our names that we did not make.
        """
        client = self._client
        with self._opened(wait, alone=alone) as hold:
            self._backend.bound_load(client.sql_client, row_bytes)
            if refresh:
                self._read_schema(client, hold)
            kind = StagedSession if self._backend.stages_loads else WarehouseSession
            session = kind(
                self.platform,
                self._backend,
                self._loading,
                client,
                self.schema,
                hold,
                has_own_tables=self._has_own_tables,
            )
            try:
                yield session
            finally:
                self.schema, self._has_own_tables = session.schema, session.has_own_tables
                session.close()

    def writing(self, work: Callable[[WarehouseSession], T], *, refresh: bool = True, row_bytes: int = 0) -> T:
        """What `work` returns in a session in which it may load.

        It is called a second time, in a session that is alone, if it had to be: until `load` has returned, it must not
        have changed anything but files of its own.
        """
        try:
            with self.session(refresh=refresh, row_bytes=row_bytes) as session:
                return work(session)
        except MustBeAlone:
            with self.session(row_bytes=row_bytes, alone=True) as session:
                return work(session)

    def start_over(self) -> None:
        """Drop everything that the warehouse has of the platform: rows, cursors, log, and whose data it was."""
        with self._opened(alone=True):
            sql = self._client.sql_client
            for dataset in (sql.staging_dataset_name, sql.dataset_name):
                with sql.with_alternative_dataset_name(dataset):
                    if sql.has_dataset():
                        sql.drop_dataset()
            self.schema, self._has_own_tables = None, False

    def _opened(self, wait: float | None = None, *, alone: bool) -> AbstractContextManager[Hold]:
        seconds = lock_wait() if wait is None else wait
        return self._backend.opened(self._client, self.platform.name, seconds, alone=alone)

    @cached_property
    def _client(self) -> SqlJobClientBase:
        return cast(Any, self._pipeline.destination_client())

    def _read_schema(self, client: SqlJobClientBase, hold: Hold) -> None:
        """Read the newest schema that a load has left, unless it is the one last seen."""
        if not client.sql_client.has_dataset():
            return
        try:
            stored = client.get_stored_schema(self.platform.name)
        except DatabaseUndefinedRelation:
            stored = None
        if stored is None:
            self._refuse_foreign_tables(client)
        elif self.schema is None or self.schema.stored_version_hash != stored.version_hash:
            statements = state.missing_tables(client.sql_client, state.column_types(client))
            if statements and not hold.is_alone:
                hold.be_alone()
                # Others may have done it, or more, while this process held nothing.
                self._read_schema(client, hold)
                hold.share()
                return
            for statement in statements:
                client.sql_client.execute_sql(statement)
            self.schema = Schema.from_dict(json.loads(stored.schema), validate_schema=False)
            allow_rows_without_load_id(self.schema, client.sql_client)
            self._has_own_tables = True

    def _refuse_foreign_tables(self, client: SqlJobClientBase) -> None:
        """Raise WarehouseError if a schema that no load of ours has made has tables of our names."""
        rows = client.sql_client.execute_sql(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s",
            self.platform.name,
        )
        columns: dict[str, set[str]] = {}
        for table, column in rows or ():
            columns.setdefault(str(table), set()).add(str(column))
        resources = {resource.name for resource in self.platform.resources}
        foreign = sorted(name for name in columns.keys() & resources if ROW_HASH not in columns[name])
        if foreign:
            raise WarehouseError(
                f"the schema {self.platform.name} in the warehouse has tables that this project did not make"
                f" ({', '.join(foreign[:5])}): nothing was written; choose another database"
            )


@contextmanager
def open_warehouse(platform: Platform) -> Iterator[Warehouse]:
    """The platform's part of the configured warehouse, with a run directory that is removed at the end."""
    remember_hints()
    with run_directory() as folder:
        yield Warehouse(platform, folder)
