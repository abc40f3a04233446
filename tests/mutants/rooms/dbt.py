"""Mutants of `dbt`: which models are built."""

from tests.mutants.mutant import Mutant

CHANGES = "platform_assets/dbt/last_changes.py"
CHANGED = "tests/dbt/test_last_changes.py"

MUTANTS = (
    Mutant(
        "newest-loads-count-as-settled",
        CHANGES,
        "_SETTLED = 600.0",
        "_SETTLED = 0.0",
        (f"{CHANGED}::test_an_event_that_is_stored_late_is_not_missed",),
    ),
    Mutant(
        "known-change-forgotten",
        CHANGES,
        "                change = known.change if known else None\n",
        "                change = None\n",
        (f"{CHANGED}::test_what_was_found_is_found_again_until_a_build_has_read_it",),
    ),
    Mutant(
        "known-time-trusted-for-older-builds",
        CHANGES,
        "            if before is not None and before.since > since:",
        "            if False:",
        (f"{CHANGED}::test_a_model_that_was_built_longer_ago_is_searched_from_there",),
    ),
)
