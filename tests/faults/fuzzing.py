"""What the fuzz tests share: how many examples to try, arbitrary JSON, and its form as a server can send it."""

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(datetime.isoformat)
NAMES = st.text(max_size=8) | st.sampled_from(["data", "id", "item", "success", "additional_data", "next_start"])
JSON = st.recursive(
    SCALARS, lambda one: st.lists(one, max_size=4) | st.dictionaries(NAMES, one, max_size=4), max_leaves=12
)


def plain(value: Any) -> Any:
    """The value as a server can send it: no number beyond 64 bits, no NaN, no lone surrogate."""
    if isinstance(value, dict):
        return {clean(name): plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(2**63), min(2**64 - 1, value))
    return clean(value) if isinstance(value, str) else value


def clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()
