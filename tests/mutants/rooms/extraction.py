"""Mutants of `extraction`: a list whose pages may shift between two requests."""

from tests.mutants.mutant import Mutant

READING = "platform_assets/extraction/reading.py"
MOVING = "tests/sync/test_moving_lists.py"

MUTANTS = (
    Mutant(
        "opaque-list-read-once",
        READING,
        "        if blind and matters():",
        "        if False:",
        (f"{MOVING}::test_an_issue_missed_between_two_cursor_pages_is_found_by_the_second_read",),
    ),
)
