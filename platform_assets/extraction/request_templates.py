"""The templates of one list's requests: values of its path, query, headers and body that are computed.

They are rendered once for each combination of values and each span of time, so that all pages of a walk ask for the
same.
"""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import Endpoint
from platform_assets.declarations.places import BODY, HEADER, VALUE, seen_as
from platform_assets.extraction.template_values import template_values
from platform_assets.http.errors import AnswerError
from platform_assets.http.urls import ParamValue


class RequestTemplates:
    """An endpoint's templates for its requests, compiled. Jinja2 is imported only if there are any.

    Args:
        endpoint: the list.
        configured: setting -> its values.
        is_of_job: whether its requests are about a job, whose answers they see.

    Raises AnswerError for a template that cannot be compiled.
    """

    def __init__(
        self, endpoint: Endpoint, configured: Mapping[str, tuple[str, ...]], *, is_of_job: bool = False
    ) -> None:
        self._templates: dict[str, Any] = {}
        self._endpoint = endpoint
        self._configured = configured
        if not endpoint.templates:
            return
        from platform_assets.declarations.template_problems import ANSWERS, CLOCKS, FUNCTIONS, REQUEST
        from platform_assets.http.templates import Rendered

        names = REQUEST | FUNCTIONS | CLOCKS | (ANSWERS if is_of_job else frozenset())
        for place, template in endpoint.templates.items():
            self._templates[place] = Rendered(template, names, f"`{place}` of {endpoint.path}")

    def fill(
        self,
        values: Mapping[str, object],
        interval: Mapping[str, str],
        answers: Mapping[str, object] | None = None,
    ) -> dict[str, ParamValue | None]:
        """Place -> what its template comes to; None for what is not sent.

        Args:
            values: place -> what else the request is filled with.
            interval: `start` and `end` of its span of time, as they are sent.
            answers: the answers of a job, by the names that templates have for them.

        Raises AnswerError for a value that cannot be sent where it is declared.
        """
        found: dict[str, ParamValue | None] = {}
        if not self._templates:
            return found
        seen = {**template_values(values, interval, self._configured), **(answers or {})}
        for place, rendered in self._templates.items():
            value = rendered.value(seen)
            # A path needs a value, and refuses an empty one.
            nothing = "" if place in self._endpoint.placeholders else None
            found[place] = nothing if value is None or value == "" else self._sendable(place, value)
            # Those after it see it, by each of the names that it has.
            for name in ("parent", "stream_slice"):
                own: Any = seen[name]
                own[seen_as(place)] = found[place]
        return found

    def _sendable(self, place: str, value: Any) -> ParamValue:
        """The value as it is sent: of any type inside JSON, else a text, a number, or texts that repeat a name."""
        if place.startswith(VALUE) or (place.startswith(BODY) and self._endpoint.data is None):
            return value
        if isinstance(value, bool | float):
            return str(value)
        if isinstance(value, str | int):
            return value
        may_repeat = not place.startswith(HEADER) and place not in self._endpoint.placeholders
        if isinstance(value, list) and may_repeat and not any(isinstance(one, list | dict) for one in value):
            return tuple(str(one) for one in value if one is not None)
        kind = "an object" if isinstance(value, dict) else "a list"
        raise AnswerError(f"`{place}` of {self._endpoint.path} comes to {kind}, which cannot be sent there")
