"""Mutants of `warehouse`: saved state, the lock, the account that the rows came from."""

from tests.mutants.mutant import Mutant

STATE = "platform_assets/warehouse/state.py"
ACCOUNTS = "tests/sync/test_accounts.py"
CURSORS = "tests/sync/test_cursors.py"
STAGED = "tests/warehouse/test_staged_session.py"
STATES = "tests/warehouse/test_state.py"

MIGRATIONS = "tests/warehouse/test_migrations.py"
TRANSFER = "tests/warehouse/test_transfer.py"

MUTANTS = (
    Mutant(
        "newer-release-not-refused",
        "platform_assets/warehouse/migrations.py",
        "    if version is not None and version > VERSION:",
        "    if False:",
        (f"{MIGRATIONS}::test_tables_of_a_newer_release_are_refused_and_left_as_they_are",),
    ),
    Mutant(
        "migration-skips-the-first-changes",
        "platform_assets/warehouse/migrations.py",
        "        for change in MIGRATIONS[version:]:",
        "        for change in MIGRATIONS[version + 2 :]:",
        (f"{MIGRATIONS}::test_after_an_upgrade_nothing_is_read_again_and_the_tables_equal_the_source",),
    ),
    Mutant(
        "damaged-export-imported",
        "platform_assets/warehouse/transfer/load.py",
        "    manifest.check_files(folder)\n",
        "",
        (f"{TRANSFER}::test_a_damaged_truncated_or_missing_file_is_refused",),
    ),
    Mutant(
        "other-accounts-export-imported",
        "platform_assets/warehouse/transfer/load.py",
        "        if problem is not None:",
        "        if False:",
        (f"{TRANSFER}::test_another_account_is_refused_even_if_told_to_replace",),
    ),
    Mutant(
        "import-takes-empty-texts-for-null",
        "platform_assets/warehouse/backends/postgres.py",
        'quoting_style="needed")',
        'quoting_style="none")',
        (f"{TRANSFER}::test_values_at_the_edges_of_their_types_arrive_exactly",),
    ),
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
        "landings-of-one-resource-not-exclusive",
        "platform_assets/warehouse/backends/advisory_locks.py",
        "            for name in sorted(resources):",
        "            for name in []:",
        (f"{STAGED}::test_a_row_that_two_partitions_bring_at_once_is_there_once",),
    ),
    Mutant(
        "locks-lost-with-a-failed-statement",
        "platform_assets/warehouse/backends/postgres.py",
        "        keep_locks(client.sql_client)\n",
        "",
        ("tests/patches/test_postgres_resets.py::test_a_session_that_finds_no_table_still_holds_its_platform",),
    ),
    Mutant(
        "lost-locks-not-noticed",
        "platform_assets/warehouse/backends/advisory_locks.py",
        "        if not holds(self._client.native_connection, self._part):",
        "        if False:",
        (f"{STAGED}::test_a_load_whose_locks_are_lost_writes_nothing",),
    ),
    Mutant(
        "schema-changed-beside-other-loads",
        "platform_assets/warehouse/backends/advisory_locks.py",
        "        lock(client.native_connection, part, wait, shared=not alone)",
        "        lock(client.native_connection, part, wait, shared=True)",
        (
            f"{STAGED}::test_a_change_of_the_schema_waits_for_the_loads_before_it",
            f"{STAGED}::test_rows_are_dropped_only_while_nobody_loads",
        ),
    ),
    Mutant(
        "what-a-killed-load-has-left-stays",
        "platform_assets/warehouse/staged_session.py",
        "and try_lock(connection, name):",
        "and False:",
        (f"{STAGED}::test_a_killed_load_leaves_all_as_it_was_and_the_next_one_completes",),
    ),
    Mutant(
        "limit-of-all-machines-ignored",
        "platform_assets/warehouse/backends/postgres_limits.py",
        "{_OLDEST} + %(window)s END",
        "{_OLDEST} END",
        ("tests/warehouse/test_postgres_limits.py::test_two_machines_together_stay_under_the_limit",),
    ),
    Mutant(
        "reader-can-write",
        "platform_assets/warehouse/backends/duckdb.py",
        "_opened(path, wait, read_only=True)",
        "_opened(path, wait)",
        ("tests/cli/test_status.py::test_a_reader_elsewhere_keeps_nobody_from_reading",),
    ),
    Mutant(
        "copy-of-a-file-that-changes",
        "platform_assets/warehouse/backends/copied_file.py",
        "    return _states(path) == before",
        "    return True",
        ("tests/warehouse/test_location.py::test_a_copy_during_which_the_file_changed_is_made_again",),
    ),
    Mutant(
        "copy-without-the-log-of-commits",
        "platform_assets/warehouse/backends/copied_file.py",
        "        if source.exists():",
        "        if source == path:",
        ("tests/warehouse/test_location.py::test_a_reader_gets_the_last_commit_of_a_file_that_somebody_writes",),
    ),
    Mutant(
        "reader-keeps-the-tables-of-another-schema",
        "platform_assets/warehouse/backends/reader.py",
        "        self._tables = None\n        self._search",
        "        self._search",
        ("tests/warehouse/test_queries.py::test_tables_are_those_of_the_schema_in_use",),
    ),
    Mutant(
        "reader-stays-in-a-schema-that-it-left",
        "platform_assets/warehouse/backends/duckdb.py",
        "        self.run(f\"SET search_path = '{found}'\", ())\n",
        "        found and self.run(f\"SET search_path = '{found}'\", ())\n",
        ("tests/warehouse/test_queries.py::test_a_schema_that_does_not_exist_has_nothing_of_the_one_before",),
    ),
    Mutant(
        "tenant-not-compared",
        "platform_assets/warehouse/source_account.py",
        "        if known and current.account and not known & current.account:",
        "        if False:",
        (f"{ACCOUNTS}::test_another_tenants_credential_at_the_same_address_is_refused",),
    ),
)
