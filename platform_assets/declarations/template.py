"""A template: a text with Jinja2 expressions, for what no other key of a declaration says."""

from dataclasses import dataclass

from platform_assets.declarations.strict import strict
from platform_assets.declarations.template_names import mentions_in


@strict
@dataclass(frozen=True)
class Template:
    """A Jinja2 template, rendered in Jinja2's sandbox within bounds of time and memory.

    A template that is one expression, `{{ record.total * 100 }}`, has the expression's own value: a number stays a
    number. Any other one has a text. What is computed from a field that the record lacks is None.

    Names: `record`, `parent` (values of the path and parameters; also `stream_partition`, and with the interval's
    `stream_slice`), `interval` (`start` and `end` of the time window as they were sent; also `stream_interval`, with
    `start_time` and `end_time`), `config` (settings under `[sources.<platform>]`; never a credential), and for
    responses `response` (the body), `headers`, `status`.

    A setting becomes required by being named, unless the template says what holds without it: by
    `config.get('region', 'eu')`, `'region' in config`, `config.region is defined`, `config.region | default('eu')`,
    or as a condition.

    Functions: `timestamp`, `str_to_datetime`, `format_datetime`, `duration`, `max`, `min`, `range`, `sanitize_url`,
    `camel_case_to_snake_case`, and where the result is not loaded, or is only a fallback, `now_utc`, `today_utc`,
    `today_with_timezone`, `day_delta` and `generate_uuid`. Filters: those of Jinja2 that grow nothing, `hash`,
    `base64encode`, `base64decode`, `regex_search` and `regex_replace`, whose patterns are written out.

    Args:
        text: at most 4,000 characters.
    """

    text: str

    @property
    def configured(self) -> tuple[str, ...]:
        """The settings that it needs, each once."""
        optional = self.optional
        return tuple(name for name in self._settings if name not in optional)

    @property
    def optional(self) -> tuple[str, ...]:
        """The settings that it can do without, each once."""
        asked = {one.field for one in mentions_in(self.text) if one.variable == "config" and one.asked}
        return tuple(name for name in self._settings if name in asked)

    @property
    def _settings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.field for one in mentions_in(self.text) if one.variable == "config"))
