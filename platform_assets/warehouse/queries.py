"""Queries of dbt's marts and of our own tables, for the report."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException, DatabaseUndefinedRelation

from platform_assets.warehouse.backends import configured_backend
from platform_assets.warehouse.location import WarehouseError, exclusive
from platform_assets.warehouse.run_directory import run_directory

Rows = list[dict[str, Any]]


class Reader:
    """Runs queries in one schema; made by `reading`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def rows(self, query: str) -> Rows:
        """Rows as column -> value; none if a table does not exist yet.

        Raises WarehouseError if a table lacks a column, e.g. because its model was built by another version.
        """
        try:
            with self._client.execute_query(query) as cursor:
                names = [column[0] for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except DatabaseUndefinedRelation:
            return []
        except DatabaseException as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise WarehouseError(f"the models in the warehouse are not those of this version ({reason})") from None


@contextmanager
def reading(schema: str) -> Iterator[Reader]:
    """Read tables of `schema`, e.g. `marts`. The warehouse is held meanwhile, as by every other process of ours.

    Raises WarehouseError if the warehouse is unavailable; a DuckDB file that does not exist is not made.
    """
    backend = configured_backend()
    missing = backend.missing_file()
    if missing is not None:
        raise WarehouseError(f"there is no warehouse at {missing} yet: `platform-assets sync` makes it")
    with run_directory() as folder, exclusive("report"):
        pipeline = dlt.pipeline(
            "reading", destination=backend.destination(), dataset_name=schema, pipelines_dir=str(folder)
        )
        pipeline.config.restore_from_destination = False
        with pipeline.sql_client() as client:
            yield Reader(client)
