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
        "half-is-true",
        EXACTNESS,
        "value if isinstance(value, bool) else None",
        "bool(value) if isinstance(value, bool | int | float) else None",
        ("tests/arrow/test_columns.py::test_what_is_not_exactly_of_the_type_goes_to_the_variant",),
    ),
    Mutant(
        "007-is-a-number",
        EXACTNESS,
        'r"0|-?[1-9][0-9]{0,18}"',
        'r"-?[0-9]{1,19}"',
        ("tests/arrow/test_columns.py::test_what_is_not_exactly_of_the_type_goes_to_the_variant",),
    ),
    Mutant(
        "key-by-spelling",
        KEYS,
        "            record[name] = key",
        "            pass",
        (f"{VALUES}::test_a_key_has_one_identity_however_it_is_written",),
    ),
    Mutant(
        "key-that-is-none-accepted",
        KEYS,
        "            if key is None:",
        "            if False:",
        (f"{VALUES}::test_a_key_that_is_none_fails_its_resource_by_name",),
    ),
    Mutant(
        "parent-of-a-row-by-chance",
        BUFFER,
        "        if not kept.all() and len({parent for parent, _ in accepted.parents}) > 1:",
        "        if False:",
        (f"{BUFFERED}::test_which_parent_has_a_row_is_no_chance",),
    ),
    Mutant(
        "cursor-of-the-future",
        BUFFER,
        "pc.less_equal(moments, self._loaded_at)",
        "pc.is_valid(moments)",
        (
            f"{CURSORS}::test_what_changes_after_a_record_dated_in_the_future_is_seen",
            f"{BUFFERED}::test_the_cursor_is_the_newest_of_all_records",
        ),
    ),
)
