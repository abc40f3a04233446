"""A template: a text with Jinja2 expressions, for what no other key of a declaration says."""

import re
from dataclasses import dataclass

from platform_assets.declarations.strict import strict

# A setting that a template names; template_problems.py refuses every other use of `config`.
_CONFIG = re.compile(r"\bconfig\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*'([^']*)'\s*\]|\[\s*\"([^\"]*)\"\s*\])")


@strict
@dataclass(frozen=True)
class Template:
    """A Jinja2 template, rendered in Jinja2's sandbox within bounds of time and memory.

    A template that is one expression, `{{ record.total * 100 }}`, has the expression's own value: a number stays a
    number. Any other one has a text. What is computed from a field that the record lacks is None.

    Names: `record`, `parent` (values of the path and parameters; also `stream_partition`, `stream_slice`), `interval`
    (`start` and `end` of the time window as they were sent; also `stream_interval`), `config` (settings under
    `[sources.<platform>]`, which become required by being named; never a credential), and for responses `response`
    (the body), `headers`, `status`. Functions: `timestamp`, `str_to_datetime`, `format_datetime`, `max`, `min`, and
    where the result is not loaded `now_utc` and `today_utc`. Filters: those of Jinja2 that grow nothing, `hash`,
    `base64encode` and `base64decode`.

    Args:
        text: at most 4,000 characters.
    """

    text: str

    @property
    def configured(self) -> tuple[str, ...]:
        """The settings that it names, each once."""
        found = (match[1] or match[2] or match[3] for match in _CONFIG.finditer(self.text))
        return tuple(dict.fromkeys(name for name in found if name))
