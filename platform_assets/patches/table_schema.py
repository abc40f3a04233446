"""dagster-dlt's column metadata of a table, without damage to the schema it is read from.

`DagsterDltResource._extract_table_schema_metadata` pops keys out of the live dlt schema, so that a second run with the
same objects dies with `KeyError: 'name'`. It can go when
tests/patches/test_table_schema.py::test_upstream_still_empties_the_schema fails.
"""

import copy
from typing import cast

import dagster as dg
from dagster_dlt import DagsterDltResource
from dlt.common.schema import Schema
from dlt.common.schema.typing import TTableSchemaColumns


class DltResourceWithTableSchema(DagsterDltResource):
    """dagster-dlt's resource that can tell a table's columns any number of times."""

    def table_schema(self, table_name: str, schema: Schema) -> dg.TableSchema:
        """Columns of a loaded table as Dagster shows them, with the types that dlt gave them."""
        columns = copy.deepcopy(schema.get_table_columns(table_name))
        return self._extract_table_schema_metadata(table_name, cast(Schema, _Table(columns)))


class _Table:
    """The part of a dlt schema that dagster-dlt reads: a copy of it takes a tenth of the time of the whole schema's."""

    def __init__(self, columns: TTableSchemaColumns) -> None:
        self._columns = columns

    def get_table_columns(self, _: str) -> TTableSchemaColumns:
        return self._columns
