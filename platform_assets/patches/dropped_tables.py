"""dlt does not make a dropped table again: it takes a schema on record for proof that all its tables exist.

`update_stored_schema` returns early if the schema's hash is in `_dlt_version` (dlt 1.31), so the load into a table that
somebody dropped fails: "Table ... does not exist". A hint of ours in the table changes the hash; dlt then compares
every table with the database and makes those that are missing. tests/patches/test_dlt_tables.py says when it can go.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from dlt.common.schema import Schema

# dlt keeps hints whose names begin with `x-` and does not read them. Warehouses hold it under this name already.
_HINT = "x-made-again"


def make_dropped_tables_again(schema: Schema, missing: Iterable[str]) -> None:
    """Have the next load of `schema` make the tables `missing`, which are in the schema and not in the warehouse."""
    for name in missing:
        schema.tables[name][_HINT] = datetime.now(UTC).isoformat()  # pyright: ignore[reportGeneralTypeIssues] -- dlt's type lists no hints of ours
