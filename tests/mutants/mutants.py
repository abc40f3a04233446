"""The faults: where, what stands there, what is planted instead, and which tests are to see it.

Each is one that a hurried change could bring: a guard left out, a bound off by one, a promise forgotten. Tests are the
few quick ones that are there for it; the whole suite sees more.
"""

from dataclasses import dataclass

COUNTED = "platform_assets/http/pagination/positions.py"
GRIDS = "platform_assets/http/pagination/grids.py"
OPAQUE = "platform_assets/http/pagination/opaque_cursors.py"
COUNTED_CURSOR = "platform_assets/http/pagination/counted_cursor.py"
PAGING = "platform_assets/http/pagination/pages.py"
READING = "platform_assets/extraction/reading.py"
CLIENT = "platform_assets/http/client.py"
RESPONSES = "platform_assets/http/responses.py"
EXACTNESS = "platform_assets/arrow/exactness.py"
BUFFER = "platform_assets/arrow/buffer.py"
KEYS = "platform_assets/arrow/keys.py"
RECORDS = "platform_assets/http/selection.py"
PLAN = "platform_assets/sync/plan.py"
PARENTS = "platform_assets/sync/parents.py"
READS = "platform_assets/sync/read.py"
LANDING = "platform_assets/sync/land.py"
REMOVAL = "platform_assets/sync/removal.py"
WINDOW = "platform_assets/sync/window.py"
STATE = "platform_assets/warehouse/state.py"
COMPARING = "platform_assets/verification/compare.py"

LISTS = "tests/http/pagination/test_positions.py"
PAGES = "tests/http/pagination/test_pages.py"
CALLS = "tests/http/test_client.py"
BUFFERED = "tests/arrow/test_buffer.py"
ACCOUNTS = "tests/sync/test_accounts.py"
REFUSED = "tests/sync/test_refused_parents.py"
REMOVALS = "tests/sync/test_removal.py"
CURSORS = "tests/sync/test_cursors.py"
TABLES = "tests/sync/test_tables.py"
RUNS = "tests/sync/test_concurrent_runs.py"
MOVING = "tests/sync/test_moving_lists.py"
VALUES = "tests/sync/test_values.py"
WINDOWS = "tests/sync/test_window.py"
STATES = "tests/warehouse/test_state.py"
SETTINGS = "tests/configuration/test_settings.py"
VERIFY = "tests/verification/test_verify.py"
DELETED_AFTER = (
    "tests/orchestration/test_in_flight.py::test_a_partition_of_a_run_in_flight_is_deleted_only_after_the_run"
)
ASKED_FOR_AGAIN = (
    "tests/monitoring/test_freshness.py"
    "::test_whatever_becomes_of_runs_an_asset_is_asked_for_again_but_never_twice_at_once"
)


@dataclass(frozen=True)
class Mutant:
    """One fault: `code` stands once in the file at `path`, and `fault` takes its place."""

    name: str
    path: str
    code: str
    fault: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = (
    # Pages: off by one, an end that nobody proved, a circle
    Mutant(
        "lowered-cap-is-the-end",
        COUNTED,
        "(count == 1 or not self._may_be_all_that_is_granted(request, count))",
        "True",
        (f"{LISTS}::test_caps_and_changes_together_lose_no_row",),
    ),
    Mutant(
        "row-stepped-back-from-forgotten",
        COUNTED,
        "if not is_here or request.offset + keys.index(row) >= behind - 1:",
        "if False:",
        (f"{LISTS}::test_no_row_that_stays_is_lost_while_others_come_go_and_move",),
    ),
    Mutant(
        "withheld-rows-are-settled",
        LANDING,
        "parent_cursor=None if read.withheld else read.parent_version,",
        "parent_cursor=read.parent_version,",
        (f"{REMOVALS}::test_a_parent_whose_missing_rows_are_withheld_stays_due_in_a_bucket",),
    ),
    Mutant(
        "offset-off-by-one",
        GRIDS,
        (
            "        return self.covering(end, size)\n"
            "\n"
            "    def covering(self, offset: int, size: int) -> PageRequest:\n"
            "        start: Params"
        ),
        (
            "        return self.covering(end + 1, size)\n"
            "\n"
            "    def covering(self, offset: int, size: int) -> PageRequest:\n"
            "        start: Params"
        ),
        (f"{LISTS}::test_any_page_size_makes_progress",),
    ),
    Mutant(
        "page-number-off-by-one",
        GRIDS,
        "return self._page(end // fitting, fitting)",
        "return self._page(end // fitting + 1, fitting)",
        (f"{LISTS}::test_any_page_size_makes_progress",),
    ),
    Mutant(
        "lowered-cap-off-by-one",
        COUNTED,
        "end = before - 1 - at + count",
        "end = before - at + count",
        (f"{LISTS}::test_a_cap_lowered_in_mid_read_costs_two_requests",),
    ),
    Mutant(
        "fixed-page-off-by-one",
        GRIDS,
        "self.covering(-(-end // self.granted) * self.granted, size)",
        "self.covering((end // self.granted + 1) * self.granted, size)",
        (f"{LISTS}::test_pages_of_a_size_that_cannot_be_chosen_are_all_read",),
    ),
    Mutant(
        "no-overlap",
        COUNTED,
        "        if self._last is None or (self._stepping_back and request.offset == 0):",
        "        if True:",
        (f"{LISTS}::test_no_row_that_stays_is_lost_while_others_come_go_and_move",),
    ),
    Mutant(
        "no-step-back",
        COUNTED,
        ("        if not keys or keys[0] not in self._seen:\n            return self._step_back()\n"),
        "",
        (f"{LISTS}::test_no_row_that_stays_is_lost_while_others_come_go_and_move",),
    ),
    Mutant(
        "moved-rows-not-looked-for",
        COUNTED,
        ("        if not self._rows_missed:\n            return None"),
        "        return None",
        (f"{LISTS}::test_a_row_that_moves_from_the_unread_part_to_the_front_is_found",),
    ),
    Mutant(
        "short-page-believed",
        COUNTED,
        "if not count or (requested_beyond and",
        "if True or (requested_beyond and",
        (f"{LISTS}::test_a_server_that_grants_less_or_lowers_its_cap_ends_no_list_early",),
    ),
    Mutant(
        "doubtful-end-not-asked",
        PAGING,
        "pager.confirm() if pager.doubtful and matters() else pager.reread()",
        "pager.reread()",
        (
            f"{LISTS}::test_a_server_that_grants_less_or_lowers_its_cap_ends_no_list_early",
            f"{MOVING}::test_a_page_cap_lowered_in_mid_read_marks_nothing_as_removed",
        ),
    ),
    Mutant(
        "no-circle-guard-of-positions",
        COUNTED,
        ("            self._pages_without_new_rows += 1\n"),
        "",
        (f"{LISTS}::test_a_list_that_ignores_the_position_is_a_circle_although_a_clock_moves",),
    ),
    Mutant(
        "no-circle-guard-of-tokens",
        OPAQUE,
        "        if len(self._positions) == known:",
        "        if False:",
        (f"{PAGES}::test_a_repeated_cursor_is_not_a_loop", f"{PAGES}::test_alternating_cursors_are_not_a_loop"),
    ),
    Mutant(
        "repeated-last-page-believed",
        OPAQUE,
        "        if is_last and self._pages_without_new_rows:",
        "        if False:",
        (f"{PAGES}::test_a_last_page_of_rows_that_were_seen_before_is_no_end",),
    ),
    Mutant(
        "missing-link-is-the-end",
        OPAQUE,
        "            if self.had_entry:",
        "            if False:",
        (f"{PAGES}::test_a_link_header_that_goes_missing_is_no_end",),
    ),
    Mutant(
        "more-without-next-is-the-end",
        COUNTED_CURSOR,
        "if more and not declared.implied:",
        "if False:",
        (f"{PAGES}::test_an_answer_to_something_else_is_no_last_page",),
    ),
    Mutant(
        "another-position-believed",
        COUNTED_CURSOR,
        "        if start is not None and start != expected:",
        "        if False:",
        (f"{PAGES}::test_an_answer_to_something_else_is_no_last_page",),
    ),
    Mutant(
        "opaque-list-read-once",
        READING,
        "        if blind and matters():",
        "        if False:",
        (f"{MOVING}::test_an_issue_that_slips_between_two_opaque_pages_is_found_by_a_second_look",),
    ),
    # Requests and answers
    Mutant(
        "redirect-may-lose-the-query",
        CLIENT,
        "        if changed:",
        "        if False:",
        (f"{CALLS}::test_a_redirect_that_loses_what_was_asked_for_is_refused",),
    ),
    Mutant(
        "redirect-to-anywhere",
        CLIENT,
        "        if target_origin != self._origin:",
        "        if False:",
        (f"{CALLS}::test_redirects_stay_on_the_origin",),
    ),
    Mutant(
        "secret-in-messages",
        "platform_assets/http/messages.py",
        'return self.redact(f"{self.platform}: GET {path}: {problem}")',
        'return f"{self.platform}: GET {path}: {problem}"',
        (f"{CALLS}::test_no_message_holds_the_secret",),
    ),
    Mutant(
        "refusal-tried-again",
        RESPONSES,
        "        if status not in handler.retry_on_status_codes:",
        "        if status == 401:",
        (f"{CALLS}::test_permanent_faults_are_not_tried_again",),
    ),
    Mutant(
        "server-delay-not-waited",
        "platform_assets/http/retry.py",
        ("        self._delayed_seconds += delay\n        return delay"),
        ("        self._delayed_seconds += delay\n        return 0.0"),
        (f"{CALLS}::test_waits_as_told_do_not_use_up_the_retries",),
    ),
    Mutant(
        "rate-limit-not-waited-for",
        "platform_assets/http/rate_limiter.py",
        "            self._sleep(at - now)",
        "            pass",
        (
            "tests/http/test_rate_limiter.py::test_no_window_holds_more_than_the_limit",
            "tests/http/test_rate_limiter.py::test_threads_share_the_limit",
        ),
    ),
    Mutant(
        "key-not-encoded-in-the-path",
        "platform_assets/http/urls.py",
        'quote(text, safe="")',
        "quote(text)",
        (f"{CALLS}::test_a_path_value_stays_in_its_own_segment",),
    ),
    Mutant(
        "repeated-key-believed",
        RESPONSES,
        ("            if repeated is None:\n                return body"),
        ("            if True:\n                return body"),
        (f"{CALLS}::test_a_key_twice_in_the_envelope_is_seen_however_it_is_written",),
    ),
    Mutant(
        "escaped-repeated-key-believed",
        "platform_assets/http/repeated_keys.py",
        "    if _ESCAPED_KEY.search(content):",
        "    if False:",
        (f"{CALLS}::test_a_key_twice_in_the_envelope_is_seen_however_it_is_written",),
    ),
    Mutant(
        "error-beside-records-believed",
        RECORDS,
        "        if name != outermost and outermost in body and body.get(name):",
        "        if False:",
        ("tests/http/test_selection.py::test_an_error_beside_records_is_an_error",),
    ),
    # Values, keys and columns
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
        "columns-by-order-of-the-answer",
        PLAN,
        "assigned = session.assigned_columns(resource.name)",
        "assigned: dict[str, str] = {}",
        (f"{VALUES}::test_fields_of_one_name_keep_their_columns",),
    ),
    Mutant(
        "parent-of-a-row-by-chance",
        BUFFER,
        "        if not kept.all() and len({parent for parent, _ in accepted.parents}) > 1:",
        "        if False:",
        (f"{BUFFERED}::test_which_parent_has_a_row_is_no_chance",),
    ),
    # Cursors and state
    Mutant(
        "cursor-saved-before-the-rows",
        LANDING,
        "        session.load(new_rows, file_format, context.source)",
        (
            "        early = [one for p in plans for one in _attempts(p, context.started)]\n"
            "        session.commit(early, [], {}, {}, [], context.source)\n"
            "        session.load(new_rows, file_format, context.source)"
        ),
        (f"{CURSORS}::test_a_load_that_fails_moves_no_cursor",),
    ),
    Mutant(
        "cursor-moved-by-a-failed-read",
        STATE,
        "        if attempt.status is not Status.OK:",
        "        if attempt.status is Status.SKIPPED:",
        (f"{STATES}::test_a_failed_or_refused_parent_keeps_what_was_read_and_stays_due",),
    ),
    Mutant(
        "cursor-goes-back",
        STATE,
        "cursor_value=max(cursors, default=None)",
        "cursor_value=attempt.cursor_value",
        (f"{STATES}::test_a_success_replaces_everything_but_a_newer_cursor",),
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
    Mutant(
        "cursor-of-an-end-that-nothing-proves",
        LANDING,
        "if read.batch and not read.batch.ends_unproven else None",
        "if read.batch else None",
        (f"{CURSORS}::test_a_list_that_ends_without_a_link_header_leaves_no_cursor",),
    ),
    Mutant(
        "window-by-the-cursor-alone",
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
        (WINDOWS, f"{CURSORS}::test_a_start_date_set_later_freezes_no_row_that_is_there"),
    ),
    Mutant(
        "parent-by-its-name-alone",
        STATE,
        "return None in (self.parent_id, parent_id) or self.parent_id == parent_id",
        "return True",
        (f"{CURSORS}::test_another_project_under_a_slug_that_was_used_before_is_read_from_its_beginning",),
    ),
    Mutant(
        "parent-without-a-time-never-changes",
        PARENTS,
        "values[cursor] if values[cursor] is not None else values[ROW_HASH]",
        "values[cursor]",
        (f"{REFUSED}::test_a_parent_without_a_time_that_changes_has_its_children_read_again",),
    ),
    Mutant(
        "emptied-table-not-noticed",
        PLAN,
        "        if recorded.is_still(found):",
        "        if True:",
        (f"{TABLES}::test_rows_that_somebody_took_out_come_back_with_the_next_sync",),
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
        PARENTS,
        "last.status is not Status.OK or",
        "last.status is Status.FAILED or",
        (f"{REFUSED}::test_a_parent_refused_once_it_was_read_stays_due",),
    ),
    Mutant(
        "all-refused-is-a-success",
        READS,
        "    if skipped and len(skipped) == len(plan.reads) and not plan.other_parents_ok:",
        "    if False:",
        (f"{REFUSED}::test_all_parents_refused_is_a_failure_with_the_reason",),
    ),
    Mutant(
        "parents-without-a-name-passed-over",
        PARENTS,
        ('            incomplete.add("/".join(str(row.value(field)) for field in own_key))\n'),
        "",
        (f"{REFUSED}::test_parents_without_a_name_are_counted_and_all_of_them_are_a_failure",),
    ),
    # Rows that seem gone
    Mutant(
        "suspicious-answer-believed",
        REMOVAL,
        "return not read.replaces_parent and missing > FEW and missing * 2 > missing + read.row_count",
        "return False",
        (f"{REMOVALS}::test_each_parent_is_weighed_alone",),
    ),
    Mutant(
        "few-off-by-one",
        REMOVAL,
        "missing > FEW and",
        "missing >= FEW and",
        (f"{REMOVALS}::test_each_parent_is_weighed_alone",),
    ),
    Mutant(
        "empty-list-believed",
        REMOVAL,
        "    if not plan.parent_types and not read.row_count:",
        "    if False:",
        (f"{REMOVALS}::test_an_empty_answer_marks_no_row_of_a_list_however_short",),
    ),
    Mutant(
        "no-second-look",
        READS,
        ("            reading.reread_until_complete(todo, target)\n"),
        "",
        (f"{REMOVALS}::test_one_short_answer_marks_nothing_where_the_second_look_finds_the_rows",),
    ),
    Mutant(
        "moved-row-is-gone",
        REMOVAL,
        "read.missing_keys[~is_member(read.missing_keys, content.keys)]",
        "read.missing_keys",
        (f"{REMOVALS}::test_a_row_that_moves_to_another_parent_is_not_marked",),
    ),
    # Two runs, two accounts, a run that is told to end
    Mutant(
        "lock-not-taken",
        "platform_assets/warehouse/backends/duckdb.py",
        "        lock.acquire(cancel_check=lambda: cancellation.cancelled)",
        "        cancellation.check()",
        ("tests/warehouse/test_location.py::test_another_run_that_keeps_the_lock_is_named",),
    ),
    Mutant(
        "overtaken-run-lands",
        LANDING,
        "        if (entry.succeeded_at if entry else None) != read.recorded_at:",
        "        if False:",
        (f"{RUNS}::test_a_run_that_read_earlier_and_lands_later_puts_no_old_value_over_a_new_one",),
    ),
    Mutant(
        "another-runs-columns-mixed",
        LANDING,
        "    if has_new and columns.contradiction",
        "    if False and columns.contradiction",
        (f"{VALUES}::test_runs_of_two_parents_that_name_new_fields_otherwise_do_not_mix_them",),
    ),
    Mutant(
        "another-account-accepted",
        "platform_assets/sync/account.py",
        "    if problem is not None and session.holds_rows():",
        "    if False:",
        (f"{ACCOUNTS}::test_another_account_is_refused_and_the_way_out_is_named",),
    ),
    Mutant(
        "tenant-not-compared",
        "platform_assets/warehouse/source_account.py",
        "        if known and current.account and not known & current.account:",
        "        if False:",
        (f"{ACCOUNTS}::test_another_tenants_credential_at_the_same_address_is_refused",),
    ),
    Mutant(
        "landing-begun-though-cancelled",
        "platform_assets/sync/run.py",
        ("    current().check()\n"),
        "",
        (f"{RUNS}::test_told_to_end_before_it_lands_nothing_lands",),
    ),
    Mutant(
        "partition-in-flight-deleted",
        "platform_assets/monitoring/partition_sensor.py",
        "sorted(removed - in_flight[name])",
        "sorted(removed)",
        (f"{DELETED_AFTER}[backfill of one]",),
    ),
    Mutant(
        "run-without-partitions-holds-none",
        "platform_assets/orchestration/in_flight.py",
        "if all(named) else set(registered)",
        "if all(named) else set()",
        (f"{DELETED_AFTER}[launchpad]",),
    ),
    # Words that are read, and what is said of the rows
    Mutant(
        "allowed-lag-ignored",
        "platform_assets/configuration/platform_settings.py",
        "return platform.freshness_of(resource).allowed_lag if lag is None else lag",
        "return platform.freshness_of(resource).allowed_lag",
        ("tests/orchestration/test_lateness.py::test_the_ui_goes_by_the_setting",),
    ),
    Mutant(
        "unknown-variable-ignored",
        "platform_assets/configuration/unknown.py",
        "return [*_in_variables(keys), *_in_files(keys)]",
        "return [*_in_files(keys)]",
        (f"{SETTINGS}::test_a_misspelt_variable_is_named_with_the_right_one",),
    ),
    Mutant(
        "unknown-key-of-a-file-ignored",
        "platform_assets/configuration/unknown.py",
        "return [*_in_variables(keys), *_in_files(keys)]",
        "return [*_in_variables(keys)]",
        (f"{SETTINGS}::test_a_file_of_settings_that_is_broken_or_misspelt_is_said_in_a_line[misspelt key]",),
    ),
    Mutant(
        "unknown-declaration-key-accepted",
        "platform_assets/declarations/strict.py",
        "        given = {**ordered, **given}",
        "        given = {k: v for k, v in {**ordered, **given}.items() if k in {key.name for key in keys}}",
        ("tests/declarations/test_validation.py::test_a_key_that_does_not_exist_is_refused_where_it_stands",),
    ),
    Mutant(
        "asked-twice-at-once",
        "platform_assets/monitoring/freshness.py",
        ("    if state.run_key:\n        return []\n"),
        "",
        (ASKED_FOR_AGAIN,),
    ),
    Mutant(
        "failed-run-never-asked-for-again",
        "platform_assets/monitoring/freshness.py",
        "    if run is RunState.NONE and now - state.requested_at < LOST_AFTER:",
        "    if run is not RunState.SUCCEEDED:",
        (ASKED_FOR_AGAIN,),
    ),
    Mutant(
        "verify-passes-over-a-column",
        COMPARING,
        "{', '.join(f'r.{quoted(name)}' for name in shape.types)})",
        "{', '.join(f'r.{quoted(n)}' for n, kind in shape.types.items() if kind != 'json')})",
        (f"{VERIFY}::test_a_changed_cell_is_found_with_its_key_and_column",),
    ),
    Mutant(
        "verify-takes-a-failed-parents-rows-for-extra",
        COMPARING,
        '"coalesce(e.complete, FALSE)"',
        '"coalesce(e.complete, TRUE)"',
        (f"{VERIFY}::test_what_cannot_be_read_is_not_verified_and_never_extra",),
    ),
)
