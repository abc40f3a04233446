"""The marker `long`: tests that explore rather than protect one named behaviour. `make test` leaves them out.

`make test-long` runs them alone (12 minutes), `make test-all` runs everything; CI has time for `make test` only. Each
behaviour keeps a case without the marker.
"""

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def one_in(number: int, cases: Iterable[Any]) -> list[ParameterSet]:
    """The cases of `parametrize`: the first, and every `number`th after it, unmarked, the others marked `long`."""
    return [_case(case, is_long=place % number > 0) for place, case in enumerate(cases)]


def only(kept: Collection[Any], cases: Iterable[Any]) -> list[ParameterSet]:
    """The cases of `parametrize`: `kept` unmarked, the others marked `long`. Raises ValueError for an unknown one."""
    found = list(cases)
    if unknown := [case for case in kept if case not in found]:
        raise ValueError(f"no such case: {unknown}")
    return [_case(case, is_long=case not in kept) for case in found]


def _case(case: Any, *, is_long: bool) -> ParameterSet:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.long if is_long else ())
