"""Mutants of `warehouse`: saved state, the lock, the account that the rows came from."""

from tests.mutants.mutant import Mutant

STATE = "platform_assets/warehouse/state.py"
ACCOUNTS = "tests/sync/test_accounts.py"
CURSORS = "tests/sync/test_cursors.py"
STATES = "tests/warehouse/test_state.py"

MUTANTS = (
    Mutant(
        "cursor-moved-by-a-failed-read",
        STATE,
        "        if attempt.status is not Status.OK:",
        "        if attempt.status is Status.SKIPPED:",
        (f"{STATES}::test_a_failed_or_refused_parent_keeps_what_was_read_and_stays_due",),
    ),
    Mutant(
        "cursor-moves-back",
        STATE,
        "cursor_value=max(cursors, default=None)",
        "cursor_value=attempt.cursor_value",
        (f"{STATES}::test_a_success_replaces_everything_but_a_newer_cursor",),
    ),
    Mutant(
        "parent-identified-by-name-only",
        STATE,
        "return None in (self.parent_id, parent_id) or self.parent_id == parent_id",
        "return True",
        (f"{CURSORS}::test_another_project_under_a_reused_slug_is_read_from_its_beginning",),
    ),
    Mutant(
        "lock-not-taken",
        "platform_assets/warehouse/backends/duckdb.py",
        "        _acquire(lock, path, wait)\n",
        "        cancellation.check()\n",
        ("tests/warehouse/test_location.py::test_the_error_names_the_run_that_holds_the_lock",),
    ),
    Mutant(
        "reader-can-write",
        "platform_assets/warehouse/backends/duckdb.py",
        "_opened(path, wait, read_only=True)",
        "_opened(path, wait)",
        ("tests/cli/test_status.py::test_a_reader_elsewhere_keeps_nobody_from_reading",),
    ),
    Mutant(
        "tenant-not-compared",
        "platform_assets/warehouse/source_account.py",
        "        if known and current.account and not known & current.account:",
        "        if False:",
        (f"{ACCOUNTS}::test_another_tenants_credential_at_the_same_address_is_refused",),
    ),
)
