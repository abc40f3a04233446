"""What dlt asks of the type of a setting, remembered: it asks anew for each setting, provider and section.

A sync of two resources with nothing new asks 7,000 times about some 80 types, which is a quarter of its time. It can go
when tests/patches/test_setting_hints.py::test_dlt_still_asks_anew fails.
"""

from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from dlt.common.configuration import resolve
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs import base_configuration

# The functions, by the modules that call them by a name of their own.
_ASKED: dict[str, tuple[ModuleType, ...]] = {
    "is_secret_hint": (base_configuration, resolve, environ),
    "extract_inner_hint": (base_configuration, resolve),
}


def remember_hints() -> None:
    """Make dlt remember in this process what it finds out about a type. Idempotent."""
    for name, modules in _ASKED.items():
        original = vars(base_configuration)[name]
        if not hasattr(original, "__wrapped__"):
            remembering = _remembering(original)
            for module in modules:
                setattr(module, name, remembering)


def _remembering(ask: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its answers kept by the type itself: types that are equal can differ in their parts' order."""
    answers: dict[tuple[Any, ...], tuple[Any, Any]] = {}

    @wraps(ask)
    def answer(hint: Any, **options: bool) -> Any:
        key = (id(hint), *options.items())
        if key not in answers:
            answers[key] = hint, ask(hint, **options)  # kept with its type, whose id is taken as long as it lives
        return answers[key][1]

    return answer
