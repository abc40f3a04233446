"""Axes are round where they count and whole where they tell time."""

from datetime import date, timedelta

import pytest

from platform_assets.reporting.axes import Every, amount_ticks, short, step_of, steps, time_ticks


@pytest.mark.parametrize("largest", [0, 0.3, 1, 2, 7, 41, 999, 1000, 123_456, 9.99e8])
def test_amounts_end_at_a_round_number_from_the_largest_on(largest: float) -> None:
    ticks = amount_ticks(largest)
    assert ticks[0] == (0, "0") and ticks[-1][0] >= largest and 2 <= len(ticks) <= 7
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize(("amount", "text"), [(0, "0"), (950, "950"), (1200, "1.2k"), (3e6, "3M"), (0.25, "0.25")])
def test_short_amounts(amount: float, text: str) -> None:
    assert short(amount) == text


@pytest.mark.parametrize(("every", "count"), [(Every.DAY, 394), (Every.WEEK, 57), (Every.MONTH, 14)])
def test_no_step_is_left_out(every: Every, count: int) -> None:
    first, last = date(2027, 12, 31), date(2029, 1, 27)
    found = steps([last, first, first], every)
    assert found == sorted(set(found)) and len(found) == count
    assert found[0] == step_of(first, every) and found[-1] == step_of(last, every)


@pytest.mark.parametrize("count", [1, 5, 13, 14, 80, 400])
def test_labels_fit_and_a_year_of_months_has_them_all(count: int) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(count)]
    assert 1 <= len(time_ticks(days, Every.DAY)) <= 5
    months = steps([date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=30 * (count - 1))], Every.MONTH)
    ticks = time_ticks(months, Every.MONTH)
    assert len(ticks) == len(months) if len(months) <= 13 else len(ticks) <= 13
    assert sum(not tick.minor for tick in ticks) <= 5
    assert all(0 < tick.position < 1 for tick in ticks)
