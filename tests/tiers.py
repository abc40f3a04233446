"""The markers that divide the tests by what they cost; every behaviour keeps a case without one.

| marker | what | run by |
|---|---|---|
| none | one named behaviour each | `make test`, five minutes on two cores; CI |
| `slow` | whole stories in processes of their own, and second cases | `make test-slow`; CI |
| `long` | explores: more seeds, faults, kills and combinations | `make test-long`; CI has no time for it |

`make test-all` runs all three.
"""

from collections.abc import Collection, Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet


def one_in(number: int, cases: Iterable[Any], *, slow: int = 0) -> list[ParameterSet]:
    """The cases of `parametrize`: the first, and every `number`th after it, unmarked, the others marked `long`.

    Args:
        slow: marks every so manieth case, counted alike, `slow` instead; 0 for none.
    """
    return [
        _case(case, () if place % number == 0 else pytest.mark.slow if slow and place % slow == 0 else pytest.mark.long)
        for place, case in enumerate(cases)
    ]


def only(kept: Collection[Any], cases: Iterable[Any], *, slow: Collection[Any] = ()) -> list[ParameterSet]:
    """The cases of `parametrize`: `kept` unmarked, those of `slow` marked so, the others marked `long`.

    Raises ValueError for an unknown one.
    """
    found = list(cases)
    if unknown := [case for case in (*kept, *slow) if case not in found]:
        raise ValueError(f"no such case: {unknown}")
    return [
        _case(case, () if case in kept else pytest.mark.slow if case in slow else pytest.mark.long) for case in found
    ]


def _case(case: Any, marks: Any) -> ParameterSet:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks)
