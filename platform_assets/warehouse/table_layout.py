"""The columns that a table in the warehouse has besides the fields of its records.

These names are what users' queries and dbt models read, and what older warehouses hold, so they do not change. Reading
and converting records happens below this package: it is handed the names as `SystemColumns`.
"""

from collections.abc import Mapping

from platform_assets.arrow.columns import SystemColumns
from platform_assets.patches.empty_table_load_ids import LOAD_ID

# dlt's name of a row's identity; here the hash of its content XOR its parent's, so that equal rows are recognised.
ROW_HASH = "_dlt_id"
# When the row was last loaded, new or changed (UTC).
LOADED_AT = "_loaded_at"
# When a row was first missing from the list it came from (UTC), i.e. soft-deleted; null while it is there.
DELETED_AT = "_deleted_at"
# JSON column of the fields for which the table has no room: field name -> value.
MORE_FIELDS = "_more_fields"

# All of them that every or some table has and that no record brings.
OWN_COLUMNS = frozenset({ROW_HASH, LOADED_AT, DELETED_AT, LOAD_ID})


def system_columns(parents: Mapping[str, str] | None = None, *, soft_deletes: bool = False) -> SystemColumns:
    """The system columns of one table.

    Args:
        parents: column -> dlt data type of the values of a row's parent, e.g. `_organizations_id`.
        soft_deletes: whether rows that are missing from a list are marked.
    """
    types = {ROW_HASH: "text", LOADED_AT: "timestamp"}
    if soft_deletes:
        types[DELETED_AT] = "timestamp"
    return SystemColumns(
        types={**types, **(parents or {})},
        row_hash=ROW_HASH,
        loaded_at=LOADED_AT,
        more_fields=MORE_FIELDS,
        reserved=frozenset({LOAD_ID, ROW_HASH, DELETED_AT, MORE_FIELDS}),
    )
