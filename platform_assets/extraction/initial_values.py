"""Where the first read of a list begins: `Incremental.initial_value`, which may be computed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platform_assets.declarations import Incremental, Template
from platform_assets.declarations.time_format import format_moment, moment_of
from platform_assets.http.errors import AnswerError


def initial_value(incremental: Incremental | None, configured: Mapping[str, tuple[str, ...]]) -> str | None:
    """The lower bound of the first read, as it is sent; None if the list is read from its beginning.

    Args:
        configured: setting -> its values, for templates.

    Raises AnswerError for a template that comes to no time, and for one that comes to nothing where the list is read
    in windows, which begin there.
    """
    declared = incremental.initial_value if incremental is not None else None
    if incremental is None or not isinstance(declared, Template):
        return declared if isinstance(declared, str) else None
    from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, SETTINGS
    from platform_assets.http.templates import Rendered, settings_values

    rendered = Rendered(declared, SETTINGS | FUNCTIONS | CLOCKS, "`initial_value`")
    found = rendered.value({"config": settings_values(configured)})
    if found is None or found == "":
        if incremental.step is not None:
            raise AnswerError("`initial_value` comes to nothing, and the first window begins there")
        return None
    return format_moment(_moment(found, incremental.format), incremental.format)


def _moment(found: Any, format: str) -> datetime:
    """The moment of a text in the parameter's format or ISO 8601. Raises AnswerError for another value."""
    try:
        return moment_of(str(found), format)
    except ValueError:
        problem = f"is not of the `format` {format!r}, ISO 8601 or `YYYY-MM-DD`"
        raise AnswerError(f"`initial_value` comes to {str(found)[:60]!r}, which {problem}") from None
