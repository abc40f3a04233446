"""Mutants of `sync`: what is read, what moves a cursor, which rows are removed, and what lands."""

from tests.mutants.mutant import Mutant

PLAN = "platform_assets/sync/plan.py"
DUE = "platform_assets/sync/due.py"
PARENTS = "platform_assets/sync/parents.py"
READS = "platform_assets/sync/read.py"
LANDING = "platform_assets/sync/land.py"
REMOVAL = "platform_assets/sync/removal.py"
WINDOW = "platform_assets/sync/window.py"
ACCOUNTS = "tests/sync/test_accounts.py"
REFUSED = "tests/sync/test_refused_parents.py"
REMOVALS = "tests/sync/test_removal.py"
CURSORS = "tests/sync/test_cursors.py"
TABLES = "tests/sync/test_tables.py"
RUNS = "tests/sync/test_concurrent_runs.py"
STAGED = "tests/warehouse/test_staged_session.py"
VALUES = "tests/sync/test_values.py"
WINDOWS = "tests/sync/test_window.py"

ROUNDS = "tests/platforms/vendors/test_rounds.py"

MUTANTS = (
    Mutant(
        "children-of-removed-parents",
        PARENTS,
        "        return not self.columns or self._named(row) in self._ids",
        "        return True",
        ("tests/sync/test_generations.py::test_what_belongs_to_a_removed_grandparent_is_kept_and_not_asked_for",),
    ),
    Mutant(
        "name-of-a-grandparent-is-its-identity",
        PARENTS,
        "above.id_of(row) if field in above.columns else None if identity is None else row.value(identity)",
        "None if field in above.columns or identity is None else row.value(identity)",
        ("tests/sync/test_generations.py::test_a_renamed_grandparent_loses_and_doubles_no_row",),
    ),
    Mutant(
        "rest-of-a-history-forgotten",
        PLAN,
        "rest = {} if left is None or param is None else {param: left}",
        "rest = {}",
        (f"{ROUNDS}::test_a_first_load_that_is_killed_goes_on_where_it_was_left",),
    ),
    Mutant(
        "rest-of-a-history-not-recorded",
        LANDING,
        "unread_before=read.rest.unread_before if read.rest else None,",
        "unread_before=None,",
        (f"{ROUNDS}::test_a_first_load_that_is_killed_goes_on_where_it_was_left",),
    ),
    Mutant(
        "cursor-beyond-what-one-of-two-lists-has-left",
        LANDING,
        "return (read.rest.cursor if read.rest else None) or read.batch.cursor",
        "return read.batch.cursor",
        (f"{ROUNDS}::test_a_load_in_many_rounds_equals_the_source_and_is_done[pipedrive-deals-parents5]",),
    ),
    Mutant(
        "late-parents-never-read",
        READS,
        "for read in plan.reads if read.deferred or read.rest",
        "for read in plan.reads if read.rest",
        (f"{ROUNDS}::test_parents_that_a_round_has_no_time_for_are_read_in_the_next",),
    ),
    Mutant(
        "history-of-another-contract-taken-for-read",
        PLAN,
        "if read.last is not None and read.last.unread_before is not None and self._rest_param(resource) is None:",
        "if False:",
        (f"{ROUNDS}::test_a_contract_without_an_upper_bound_reads_an_interrupted_history_from_its_beginning",),
    ),
    Mutant(
        "withheld-rows-recorded-as-done",
        LANDING,
        "parent_cursor=None if read.withheld or read.rest else read.parent_version,",
        "parent_cursor=None if read.rest else read.parent_version,",
        (f"{REMOVALS}::test_a_parent_with_withheld_soft_deletes_stays_due_in_a_bucket",),
    ),
    Mutant(
        "columns-depend-on-response-order",
        PLAN,
        "assigned = session.assigned_columns(resource.name)",
        "assigned: dict[str, str] = {}",
        (f"{VALUES}::test_fields_with_the_same_column_name_keep_their_columns",),
    ),
    Mutant(
        "cursor-saved-before-the-rows",
        LANDING,
        "        session.load(new_rows, file_format, context.source)",
        (
            "        early = [one for p in plans for one in _attempts(p, context.started)]\n"
            "        session.commit(early, [], {}, {}, [], context.source)\n"
            "        session.load(new_rows, file_format, context.source)"
        ),
        (f"{CURSORS}::test_a_failed_load_does_not_move_the_cursor",),
    ),
    Mutant(
        "cursor-saved-after-unproven-end",
        LANDING,
        "if read.batch is None or read.batch.ends_unproven:",
        "if read.batch is None:",
        (f"{CURSORS}::test_a_list_that_ends_without_a_link_header_leaves_no_cursor",),
    ),
    Mutant(
        "window-ignores-read-time",
        WINDOW,
        "bound = min(cursor, read_at or cursor)",
        "bound = cursor",
        (WINDOWS,),
    ),
    Mutant(
        "no-look-back",
        WINDOW,
        "start = bound - incremental.lag",
        "start = bound",
        (WINDOWS,),
    ),
    Mutant(
        "no-reopening",
        WINDOW,
        "    if oldest_open is not None:",
        "    if False:",
        (WINDOWS,),
    ),
    Mutant(
        "no-reopen-limit",
        WINDOW,
        "max(oldest_open, bound - min(incremental.reopen_limit, furthest))",
        "oldest_open",
        (WINDOWS,),
    ),
    Mutant(
        "start-date-bounds-every-read",
        WINDOW,
        "min(start_date, oldest_row or start_date)",
        "start_date",
        (WINDOWS, f"{CURSORS}::test_a_start_date_set_later_keeps_existing_rows_updated"),
    ),
    Mutant(
        "parent-without-timestamp-never-changes",
        PARENTS,
        "values[cursor] if values[cursor] is not None else values[ROW_HASH]",
        "values[cursor]",
        (f"{REFUSED}::test_children_of_a_changed_parent_without_a_timestamp_are_read_again",),
    ),
    Mutant(
        "emptied-table-not-detected",
        PLAN,
        "        if recorded is None or recorded.is_still(found):",
        "        if True:",
        (f"{TABLES}::test_rows_deleted_by_hand_are_loaded_again_by_the_next_sync",),
    ),
    Mutant(
        "skipped-parent-recorded-as-done",
        READS,
        "Status.SKIPPED if is_refused else Status.FAILED",
        "Status.OK if is_refused else Status.FAILED",
        (f"{REFUSED}::test_a_refused_parent_stays_due_in_a_bucket",),
    ),
    Mutant(
        "skipped-parent-not-due",
        DUE,
        "last.status is not Status.OK or",
        "last.status is Status.FAILED or",
        (f"{REFUSED}::test_a_parent_refused_after_a_successful_read_stays_due",),
    ),
    Mutant(
        "all-refused-is-a-success",
        READS,
        "    if skipped and len(skipped) == len(plan.reads) and not plan.other_parents_ok:",
        "    if False:",
        (f"{REFUSED}::test_all_parents_refused_is_a_failure_with_the_reason",),
    ),
    Mutant(
        "parents-without-path-value-skipped",
        PARENTS,
        "            incomplete.add(row.own_key)\n",
        "",
        (f"{REFUSED}::test_parents_without_a_path_value_are_counted_and_all_of_them_are_a_failure",),
    ),
    Mutant(
        "suspicious-response-accepted",
        REMOVAL,
        "return not read.replaces_parent and missing > FEW and missing * 2 > missing + read.row_count",
        "return False",
        (f"{REMOVALS}::test_soft_deletes_are_decided_per_parent",),
    ),
    Mutant(
        "few-off-by-one",
        REMOVAL,
        "missing > FEW and",
        "missing >= FEW and",
        (f"{REMOVALS}::test_soft_deletes_are_decided_per_parent",),
    ),
    Mutant(
        "empty-list-accepted",
        REMOVAL,
        "    if not plan.parent_types and not read.row_count:",
        "    if False:",
        (f"{REMOVALS}::test_an_empty_response_soft_deletes_no_row_however_short_the_list",),
    ),
    Mutant(
        "no-second-read",
        READS,
        "            reading.reread_until_complete(todo, target)\n",
        "            pass\n",
        (f"{REMOVALS}::test_one_short_response_soft_deletes_nothing_if_the_second_read_finds_the_rows",),
    ),
    Mutant(
        "moved-row-soft-deleted",
        REMOVAL,
        "read.missing_keys[~is_member(read.missing_keys, content.keys)]",
        "read.missing_keys",
        (f"{REMOVALS}::test_a_row_that_moves_to_another_parent_is_not_soft_deleted",),
    ),
    Mutant(
        "outdated-run-lands",
        LANDING,
        "        if not read.deferred and now != read.recorded:",
        "        if False:",
        (f"{RUNS}::test_a_run_that_read_earlier_does_not_overwrite_newer_values",),
    ),
    Mutant(
        "overtaken-load-lands",
        "platform_assets/sync/run.py",
        "        if not session.is_alone:",
        "        if False:",
        (f"{STAGED}::test_a_load_of_rows_that_another_run_has_overtaken_is_read_again",),
    ),
    Mutant(
        "columns-of-concurrent-run-mixed",
        LANDING,
        "    if has_new and columns.contradiction",
        "    if False and columns.contradiction",
        (f"{VALUES}::test_runs_of_two_parents_that_assign_new_columns_differently_do_not_mix_fields",),
    ),
    Mutant(
        "another-account-accepted",
        "platform_assets/sync/account.py",
        "    if problem is not None and session.holds_rows():",
        "    if False:",
        (f"{ACCOUNTS}::test_another_account_is_refused_with_a_remedy",),
    ),
    Mutant(
        "landing-despite-cancellation",
        "platform_assets/sync/run.py",
        ("    current().check()\n"),
        "",
        (f"{RUNS}::test_a_run_cancelled_before_it_lands_writes_nothing",),
    ),
    Mutant(
        "full-refresh-in-parts-skips-what-is-older",
        "platform_assets/sync/plan.py",
        " and not self._would_skip(resource, read, last)",
        "",
        ("tests/sync/test_windows.py::test_a_full_refresh_in_rounds_reads_the_whole_history_again",),
    ),
    Mutant(
        "ignored-response-is-done",
        "platform_assets/sync/read.py",
        "read.status, read.error, read.ignored, read.rest = Status.SKIPPED, todo.ignored[0], True, None",
        "read.ignored = True",
        ("tests/sync/test_ignored_responses.py::test_rows_before_an_ignored_page_land_and_none_counts_as_removed",),
    ),
)
