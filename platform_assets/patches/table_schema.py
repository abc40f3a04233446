"""dagster-dlt's column metadata of a table, without damage to the schema it is read from.

`DagsterDltResource._extract_table_schema_metadata` pops keys out of the live dlt schema, so that a second run with the
same objects dies with `KeyError: 'name'`. It can go when
tests/patches/test_table_schema.py::test_upstream_still_empties_the_schema fails.
"""

import copy

import dagster as dg
from dagster_dlt import DagsterDltResource
from dlt.common.schema import Schema


class DltResourceWithTableSchema(DagsterDltResource):
    """dagster-dlt's resource that can tell a table's columns any number of times."""

    def table_schema(self, table_name: str, schema: Schema) -> dg.TableSchema:
        """Columns of a loaded table as Dagster shows them, with the types that dlt gave them."""
        return self._extract_table_schema_metadata(table_name, copy.deepcopy(schema))
