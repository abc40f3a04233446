"""What a database must answer to be the warehouse: everything in which databases differ is a member of `Backend`.

dlt and dbt speak to every database alike, and so does most of this package. The rest differs: where the database is,
how processes exclude each other, what bounds a load, and which values and files it takes. A third database is one
more implementation of this protocol and one more entry in `backends.BACKENDS`; nothing else asks for a backend's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from platform_assets.warehouse.backends.hold import Hold

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.common.destination import DestinationCapabilitiesContext
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.destinations.sql_client import SqlClientBase

    from platform_assets.http.shared_limits import SharedLimits
    from platform_assets.warehouse.backends.reader import Reader

# Rows in one Arrow batch of `Backend.read_batches`; a multiple of DuckDB's vectors.
BATCH_ROWS = 32_768


class Backend(Protocol):
    """A database as the warehouse. Instances hold no connection and read settings only when a method is called.

    Attributes:
        name: value of `[warehouse] destination`, which is also dlt's name of the destination.
        holds_nul: whether texts may contain U+0000. One such text in any row would make a database that refuses it
            refuse everything that is loaded with it.
        load_workers: how many tables are loaded at once.
        stages_loads: whether several processes load one platform at once, each into tables of its own first.
        text_hash: SQL of the hash of a text, which is in place of `{}`, if rows are looked up by indexes of ours (see
            ../indexes.py); None if reading a column is as good.
    """

    name: str
    holds_nul: bool
    load_workers: int
    stages_loads: bool
    text_hash: str | None

    @property
    def location(self) -> str:
        """The warehouse in messages, e.g. the path of its file. Never contains a secret."""
        ...

    def check_settings(self) -> None:
        """Read this database's own settings. Raises SettingsError or WarehouseError for one that cannot be used."""
        ...

    def missing_file(self) -> Path | None:
        """The file that the first load will create; None once it exists, or where a server keeps the data."""
        ...

    def destination(self) -> Any:
        """The dlt destination. Raises SettingsError or WarehouseError if it cannot be used."""
        ...

    def exclusive(self, part: str, /, wait: float) -> AbstractContextManager[None]:
        """Exclude other processes that write `part`, e.g. a platform's schema; a one-writer database locks it all.

        Args:
            wait: seconds to wait for the process that holds it.

        Raises WarehouseError at the end of the wait or if the database is unavailable, and Cancelled if the run is
        cancelled meanwhile.
        """
        ...

    def exclusive_for_child(self, part: str, /, wait: float) -> AbstractContextManager[None]:
        """As `exclusive`, on behalf of a program that this process starts, e.g. dbt: that one can open the database."""
        ...

    def opened(
        self, client: SqlJobClientBase, part: str, /, wait: float, *, alone: bool
    ) -> AbstractContextManager[Hold]:
        """Open a client of dlt and hold `part`, a platform's schema; `wait` and errors as in `exclusive`.

        Args:
            alone: exclude every other process; otherwise only those that are alone, where the database can.
        """
        ...

    def reading(self, schema: str, /, wait: float, *, or_copy: bool) -> AbstractContextManager[Reader]:
        """Read a schema through a connection that cannot write; `wait` and errors as in `exclusive`.

        With `or_copy`, a database that a writer closes to readers is soon read as it was at its last commit.
        """
        ...

    def bound_load(self, client: SqlClientBase[Any], row_bytes: int, /) -> None:
        """Bound what a load may take of this machine. `row_bytes`: average width of the rows, 0 if none are loaded."""
        ...

    def loader_file_format(self, client: SqlClientBase[Any]) -> str:
        """dlt's name of the file format to load into the dataset that `client` is in."""
        ...

    def read_batches(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str]) -> Iterator[pa.Table]:
        """All rows of a table as Arrow, up to `BATCH_ROWS` at a time and never all of them in memory.

        Args:
            table: name, qualified and quoted.
            columns: name of an existing column -> its dlt data type. JSON is returned as text.
        """
        ...

    def shared_limits(self, patience: float, /) -> SharedLimits | None:
        """Where all machines that load into this database know of declared limits; None if it is one machine's own.

        Args:
            patience: seconds for which the database may be away until a request fails with WarehouseError.
        """
        ...

    def insert_parquet(self, client: SqlClientBase[Any], table: str, columns: Mapping[str, str], path: Path) -> None:
        """Add the rows of a Parquet file to a table, in the client's transaction and a batch in memory at a time.

        Args:
            table: name, qualified and quoted.
            columns: name of a column, in the file and in the table -> its dlt data type. JSON is text in the file.
            path: the file. Where texts cannot have U+0000, U+FFFD takes its place.
        """
        ...

    def dbt_variables(self) -> Mapping[str, str]:
        """Environment variables by which `dbt_project/profiles.yml` finds this database."""
        ...

    def secrets(self) -> list[str]:
        """Secrets of the connection, to be redacted from every text."""
        ...


def parquet_if_supported(capabilities: DestinationCapabilitiesContext) -> str:
    """`parquet` if the destination loads it, else the format that it prefers.

    Never CSV, which dlt would choose for Arrow tables into Postgres without an ADBC driver: its COPY has FORCE_NULL
    for every nullable column, so that empty texts become null (dlt 1.31).
    """
    preferred = capabilities.preferred_loader_file_format
    supported = capabilities.supported_loader_file_formats or ()
    if capabilities.loader_file_format_selector is not None:
        # Postgres loads Parquet only if the ADBC driver is installed.
        preferred, supported = capabilities.loader_file_format_selector(preferred, supported, table_schema={})  # pyright: ignore[reportArgumentType] -- an empty table schema is enough
    return "parquet" if "parquet" in supported else str(preferred)
