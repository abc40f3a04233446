"""Mutants of `extraction`: a list whose pages may shift between two requests."""

from tests.mutants.mutant import Mutant

READING = "platform_assets/extraction/reading.py"
MOVING = "tests/sync/test_moving_lists.py"

EDGE = "platform_assets/extraction/edge.py"
EDGES = "tests/extraction/test_edge.py"

MUTANTS = (
    Mutant(
        "second-at-the-edge-left-out",
        EDGE,
        "(oldest.replace(microsecond=0) + timedelta(seconds=1))",
        "oldest.replace(microsecond=0)",
        (f"{EDGES}::test_parts_from_the_newest_to_the_oldest_have_every_row",),
    ),
    Mutant(
        "part-of-a-list-out-of-order",
        EDGE,
        "self._in_order = self._in_order and self._disorder <= incremental.lag",
        "pass",
        (f"{EDGES}::test_cursors_a_little_out_of_order_are_read_again_and_others_end_no_part",),
    ),
    Mutant(
        "opaque-list-read-once",
        READING,
        "        if blind and matters():",
        "        if False:",
        (f"{MOVING}::test_an_issue_missed_between_two_cursor_pages_is_found_by_the_second_read",),
    ),
)
