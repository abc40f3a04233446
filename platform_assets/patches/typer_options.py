"""Typer's options, read without pydantic where their value needs no conversion.

Typer 0.29 imports pydantic as soon as a command has an option that is not a flag, also if it was not given: a fifth of
what `platform-assets status` takes. Here pydantic is imported for the first value that is not yet of its option's
type: a number, a path or a choice that was typed.

No issue is known upstream; the import is at the top of typer/_adapters.py. It can go when
tests/patches/test_typer_options.py::test_upstream_still_imports_pydantic fails.
"""

from enum import Enum
from typing import TYPE_CHECKING, Any

import typer.core

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME = "build_runtime_param"


class _OnDemand:
    """A converter of Typer that makes its original when it first meets a value that it cannot take as it is."""

    def __init__(self, descriptor: Any, build: "Callable[[Any], Any]") -> None:
        self._descriptor = descriptor
        self._build = build
        self._original: Any = None

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """As the original's. Raises Typer's errors for a value that cannot be converted."""
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        annotation = self._descriptor.annotation
        if self._descriptor.parameter_info.parser is None:
            if annotation == list[str] and isinstance(value, (list, tuple)) and all(type(one) is str for one in value):
                return list(value)
            if type(value) is annotation and (annotation in (str, int) or issubclass(annotation, Enum)):
                return value
        if self._original is None:
            self._original = self._build(self._descriptor)
        return self._original.coerce(value, param=param, ctx=ctx)


def read_options_on_demand() -> None:
    """Have Typer convert values so, in this process. Other versions of Typer, without that import, stay as they are."""
    build = getattr(typer.core, _NAME, None)
    if build is not None and not hasattr(build, "original"):

        def on_demand(descriptor: Any) -> _OnDemand:
            return _OnDemand(descriptor, build)

        on_demand.original = build  # pyright: ignore[reportFunctionMemberAccess] -- marks that it was replaced
        setattr(typer.core, _NAME, on_demand)
