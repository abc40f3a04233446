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
        "if declared.more_path is not None and get_path(answer.body, declared.more_path) is True:",
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
)
