"""Mutants of `arrow`: values, keys and columns."""

from tests.mutants.mutant import Mutant

EXACTNESS = "platform_assets/arrow/exactness.py"
BUFFER = "platform_assets/arrow/buffer.py"
KEYS = "platform_assets/arrow/keys.py"
BUFFERED = "tests/arrow/test_buffer.py"
CURSORS = "tests/sync/test_cursors.py"
VALUES = "tests/sync/test_values.py"

MUTANTS = (
    Mutant(
        "number-read-as-bool",
        EXACTNESS,
        "value if isinstance(value, bool) else None",
        "bool(value) if isinstance(value, bool | int | float) else None",
        ("tests/arrow/test_columns.py::test_a_value_not_exactly_of_the_column_type_goes_to_the_variant_column",),
    ),
    Mutant(
        "leading-zeros-read-as-number",
        EXACTNESS,
        'r"0|-?[1-9][0-9]{0,18}"',
        'r"-?[0-9]{1,19}"',
        ("tests/arrow/test_columns.py::test_a_value_not_exactly_of_the_column_type_goes_to_the_variant_column",),
    ),
    Mutant(
        "key-depends-on-spelling",
        KEYS,
        "            record[name] = key",
        "            pass",
        (f"{VALUES}::test_a_key_has_one_identity_in_any_spelling",),
    ),
    Mutant(
        "invalid-key-accepted",
        KEYS,
        "            if key is None:",
        "            if False:",
        (f"{VALUES}::test_an_invalid_key_fails_its_resource_by_name",),
    ),
    Mutant(
        "parent-depends-on-arrival-order",
        BUFFER,
        "        if not kept.all() and len({parent for parent, _ in accepted.parents}) > 1:",
        "        if False:",
        (f"{BUFFERED}::test_the_parent_of_a_shared_row_does_not_depend_on_arrival_order",),
    ),
    Mutant(
        "cursor-in-the-future",
        BUFFER,
        "pc.less_equal(moments, self._loaded_at)",
        "pc.is_valid(moments)",
        (
            f"{CURSORS}::test_changes_after_a_record_dated_in_the_future_are_loaded",
            f"{BUFFERED}::test_the_cursor_is_the_newest_of_all_records",
        ),
    ),
)
