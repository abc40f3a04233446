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
        "rounded_up(oldest + timedelta(microseconds=1), step)",
        "rounded_up(oldest, step)",
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
        "        if blind and not reading.ignored and matters():",
        "        if False:",
        (f"{MOVING}::test_an_issue_missed_between_two_cursor_pages_is_found_by_the_second_read",),
    ),
    Mutant(
        "window-ends-before-now",
        "platform_assets/extraction/windows.py",
        "until = max(rounded_up(now, smallest), first + smallest)",
        "until = max(rounded_up(now - smallest, smallest), first + smallest)",
        ("tests/sync/test_windows.py::test_windows_of_days_share_their_edges_and_reach_to_now",),
    ),
    Mutant(
        "unfinished-job-left-at-the-server",
        "platform_assets/extraction/report_jobs.py",
        '                self._end("abort", answers)',
        "                pass",
        ("tests/extraction/test_report_jobs.py::test_a_cancelled_run_aborts_its_job",),
    ),
    Mutant(
        "job-that-is-waited-for-too-long",
        "platform_assets/extraction/report_jobs.py",
        "left = most - max(clock() - began, waited)",
        "left = 3 * most - max(clock() - began, waited)",
        ("tests/extraction/test_report_jobs.py::test_a_job_that_never_ends_is_aborted_and_an_error",),
    ),
    Mutant(
        "nothing-to-report-taken-for-rows-that-are-gone",
        "platform_assets/extraction/report_jobs.py",
        "        if not job.targets and not is_filtered:",
        "        if False:",
        ("tests/sync/test_reports.py::test_a_report_that_is_read_in_full_removes_only_what_a_report_shows_to_be_gone",),
    ),
    Mutant(
        "ignored-response-taken-for-an-answer",
        "platform_assets/extraction/reading.py",
        "    if reading.ignored:\n        raise AnswerError",
        "    if False:\n        raise AnswerError",
        ("tests/sync/test_ignored_responses.py::test_a_list_with_an_ignored_response_is_not_taken_for_a_whole_one",),
    ),
)
