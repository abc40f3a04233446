"""Mutants of `http/pagination`: off by one, an unproven end of a list taken for its end, an endless loop."""

from tests.mutants.mutant import Mutant

COUNTED = "platform_assets/http/pagination/positions.py"
GRIDS = "platform_assets/http/pagination/grids.py"
OPAQUE = "platform_assets/http/pagination/opaque_cursors.py"
COUNTED_CURSOR = "platform_assets/http/pagination/counted_cursor.py"
PAGING = "platform_assets/http/pagination/pages.py"
LISTS = "tests/http/pagination/test_positions.py"
PAGES = "tests/http/pagination/test_pages.py"
MOVING = "tests/sync/test_moving_lists.py"

MUTANTS = (
    Mutant(
        "position-beside-its-text",
        PAGING,
        "        if POSITION in around:",
        "        if False:",
        ("tests/http/pagination/test_computed.py::test_a_position_may_stand_in_a_value_of_the_list",),
    ),
    Mutant(
        "lowered-limit-ends-the-list",
        COUNTED,
        "(count == 1 or not self._may_be_all_that_is_granted(request, count))",
        "True",
        (f"{LISTS}::test_page_limits_and_changes_together_lose_no_row",),
    ),
    Mutant(
        "row-before-step-back-forgotten",
        COUNTED,
        "if not is_here or request.offset + keys.index(row) >= behind - 1:",
        "if False:",
        (f"{LISTS}::test_no_stable_row_is_lost_while_others_are_added_removed_and_moved",),
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
        "lowered-limit-off-by-one",
        COUNTED,
        "end = before - 1 - at + count",
        "end = before - at + count",
        (f"{LISTS}::test_a_page_limit_lowered_during_a_read_costs_two_requests",),
    ),
    Mutant(
        "fixed-page-off-by-one",
        GRIDS,
        "self.covering(-(-end // self.granted) * self.granted, size)",
        "self.covering((end // self.granted + 1) * self.granted, size)",
        (f"{LISTS}::test_pages_of_a_fixed_size_are_all_read",),
    ),
    Mutant(
        "no-overlap",
        COUNTED,
        "        if self._last is None or (self._stepping_back and request.offset == 0):",
        "        if True:",
        (f"{LISTS}::test_no_stable_row_is_lost_while_others_are_added_removed_and_moved",),
    ),
    Mutant(
        "no-step-back",
        COUNTED,
        ("        if not keys or keys[0] not in self._seen:\n            return self._step_back()\n"),
        "",
        (f"{LISTS}::test_no_stable_row_is_lost_while_others_are_added_removed_and_moved",),
    ),
    Mutant(
        "moved-rows-not-searched",
        COUNTED,
        ("        if not self._rows_missed:\n            return None"),
        "        return None",
        (f"{LISTS}::test_a_row_that_moves_from_the_unread_part_to_the_front_is_found",),
    ),
    Mutant(
        "short-page-ends-the-list",
        COUNTED,
        "if not count or (requested_beyond and",
        "if True or (requested_beyond and",
        (f"{LISTS}::test_a_smaller_or_lowered_page_limit_does_not_end_a_list_early",),
    ),
    Mutant(
        "doubtful-end-not-confirmed",
        PAGING,
        "pager.confirm() if pager.doubtful and matters() else pager.reread()",
        "pager.reread()",
        (
            f"{LISTS}::test_a_smaller_or_lowered_page_limit_does_not_end_a_list_early",
            f"{MOVING}::test_a_page_limit_lowered_during_a_read_soft_deletes_nothing",
        ),
    ),
    Mutant(
        "no-loop-guard-for-positions",
        COUNTED,
        ("            self._pages_without_new_rows += 1\n"),
        "",
        (f"{LISTS}::test_a_server_that_ignores_the_position_is_an_error_even_if_a_timestamp_changes",),
    ),
    Mutant(
        "no-loop-guard-for-tokens",
        OPAQUE,
        "        if len(self._positions) == known:",
        "        if False:",
        (f"{PAGES}::test_a_repeated_cursor_is_an_error", f"{PAGES}::test_alternating_cursors_are_an_error"),
    ),
    Mutant(
        "repeated-last-page-accepted",
        OPAQUE,
        "        if is_last and self._pages_without_new_rows:",
        "        if False:",
        (f"{PAGES}::test_a_last_page_of_known_rows_does_not_end_the_list",),
    ),
    Mutant(
        "missing-link-ends-the-list",
        OPAQUE,
        "            if self.had_entry:",
        "            if False:",
        (f"{PAGES}::test_a_missing_link_header_does_not_end_the_list",),
    ),
    Mutant(
        "more-without-next-ends-the-list",
        COUNTED_CURSOR,
        "if more and not declared.implied:",
        "if False:",
        (f"{PAGES}::test_a_response_for_another_position_is_not_the_last_page",),
    ),
    Mutant(
        "another-position-accepted",
        COUNTED_CURSOR,
        "        if start is not None and start != expected:",
        "        if False:",
        (f"{PAGES}::test_a_response_for_another_position_is_not_the_last_page",),
    ),
)
