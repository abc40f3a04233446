"""Texts of a manifest, which may be Jinja2 templates, as values of a declaration.

"asc"                                  -> "asc"
"{{ config['region'] }}"               -> Configured("region"), if it is required
"{{ stream_partition.order_id }}"      -> what the partition router says of `order_id`
"{{ stream_interval.start_time }}"     -> the interval's bound, which `Incremental.start_param` sends
everything else with `{{` or `{%`      -> Template
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_assets.declarations import Configured, FanOut, Resolve, Template
from platform_assets.declarations.template_problems import problem_of
from platform_assets.importing.manifest.expressions import Piece, has_template, joined, paths_of, pieces_of
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.underscores import as_items

# What was left by the last sync, in templates.
STATE = "stream_state"

_KEY = (
    r"(?:\.\s*(?!get\s*\()(?P<dot>\w+)|\[\s*['\"](?P<item>[\w .-]+)['\"]\s*\]"
    r"|\.\s*get\(\s*['\"](?P<get>[\w .-]+)['\"]\s*\))"
)
_SLICE = re.compile(rf"\b(?:stream_slice|stream_partition|stream_interval)\s*{_KEY}")
_EXTRA = re.compile(rf"\b(?:stream_slice|stream_partition)\s*\.\s*extra_fields\s*{_KEY}")
_PARENT_SLICE = re.compile(
    rf"\b(?:stream_slice|stream_partition)\s*(?:\.\s*parent_slice|\[\s*['\"]parent_slice['\"]\s*\])\s*{_KEY}"
)
_SINGLE = re.compile(r"\{\{\s*((?:(?!\}\}|\{\{).)*?)\s*\}\}", re.DOTALL)
_SETTING = re.compile(r"config(?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\])")
_INTERVAL = re.compile(r"interval\.(start|end)")
_OWN_VALUE = re.compile(r"parent\.(\w+)")
_GROUP = re.compile(r"\[parent\.(\w+)\]")
_JOINED = re.compile(r"\[parent\.(\w+)\](?:\s*\|\s*join(?:\(\s*['\"]([^'\"]*)['\"]\s*\))?)?")

_HEADER_NAME = re.compile(
    r"\bheaders\s*(?:\.\s*get\(\s*['\"][\w-]+['\"]|\[\s*['\"][\w-]+['\"]\s*\]|\.\w+)"
    r"|['\"][\w-]+['\"]\s+(?:not\s+)?in\s+headers\b"
)

# A value of a list's partition: of a parent's row, of a list that is written out, or of a setting.
PartitionValue = Resolve | FanOut | Configured


class NotCarried(Exception):
    """A part that cannot be carried; the text says why."""


@dataclass(frozen=True)
class Bound:
    """A value that is the start or the end of the interval, and nothing else."""

    which: str


Value = str | int | float | bool | PartitionValue | Template | Bound


@dataclass
class Texts:
    """Converts the texts of one stream.

    Attributes:
        settings: of the manifest.
        partition: name -> the value of a partition, as its router has it.
        extra: name -> a further field of the parent's rows.
        start, end: names of the interval's bounds in this stream's templates.
        cursor: the cursor's field, whose last value is in `stream_state`.
        used: names of partition values that templates use, so that they must be among the request's values.
        uses_interval: bounds of the interval that templates use: `start`, `end`.
        grouped: whether values of a partition are lists in templates, of several parents. Here each has one.
        separators: name of a value that is sent alone -> what stands between the values of a group.
    """

    settings: ConfigSettings
    partition: Mapping[str, PartitionValue] = field(default_factory=dict)
    extra: dict[str, PartitionValue] = field(default_factory=dict)
    start: str = "start_time"
    end: str = "end_time"
    cursor: str | None = None
    used: set[str] = field(default_factory=set)
    uses_interval: set[str] = field(default_factory=set)
    grouped: bool = False
    separators: dict[str, str] = field(default_factory=dict)

    def value(self, given: Any, names: frozenset[str], what: str) -> Value:
        """The value that a text, number or bool is. Raises NotCarried.

        Args:
            names: variables and functions that a template may use there.
            what: where it stands, for messages.
        """
        if not isinstance(given, str):
            if given is None or isinstance(given, Mapping | list):
                raise NotCarried(f"`{what}` is no text or number")
            return given
        if not is_template(given):
            return given
        text = self.rewritten(given)
        single = _SINGLE.fullmatch(text.strip())
        if single is not None:
            if single[1] == "''":
                return ""
            if found := _INTERVAL.fullmatch(single[1]):
                return Bound(found[1])
            if (found := _OWN_VALUE.fullmatch(single[1])) and found[1] in self._values:
                return self._values[found[1]]
            if (found := _JOINED.fullmatch(single[1])) and found[1] in self._values:
                self.separators[found[1]] = found[2] or ""
                return self._values[found[1]]
            if (found := _SETTING.fullmatch(single[1])) and not self.settings.is_secret(found[1] or found[2]):
                return Configured(found[1] or found[2])
        return self.template(text, names, what)

    def group(self, given: Any) -> PartitionValue | None:
        """The value of the one parent in a group that a text is, without more; None if it is none."""
        single = _SINGLE.fullmatch(self.rewritten(given).strip()) if self.grouped and is_template(given) else None
        found = _GROUP.fullmatch(single[1]) if single is not None else None
        return self._values.get(found[1]) if found is not None else None

    def template(self, text: str, names: frozenset[str], what: str) -> Template:
        """A template that can run. Raises NotCarried."""
        template = Template(as_items(text))
        secrets = secrets_in(template, self.settings)
        if secrets:
            raise NotCarried(f"`{what}` has the credential `{secrets[0]}` in it")
        problem = problem_of(template, names)
        if problem is not None:
            raise NotCarried(f"`{what}`: {problem}")
        self.used.update(name for name in _OWN_VALUE.findall(text) if name in self._values)
        self.uses_interval.update(_INTERVAL.findall(text))
        return template

    @property
    def _values(self) -> dict[str, PartitionValue]:
        return {**self.extra, **self.partition}

    def rewritten(self, text: str) -> str:
        """A template with our names: `parent.x` for values of the partition, `interval.start`, flat settings."""
        text = _with_state(self.settings.flattened(text), self.cursor)
        text = _PARENT_SLICE.sub(lambda found: self._own(_name_in(found)), text)
        text = _EXTRA.sub(lambda found: self._own(_name_in(found)), text)
        return self._with_fields(_SLICE.sub(self._named, text))

    def _with_fields(self, text: str) -> str:
        """A template in which a field of an object of the parent's row, `parent.links['self']`, has a name."""
        pieces = pieces_of(text) if "parent" in text else None
        for path in reversed(paths_of(pieces, "parent")) if pieces else ():
            first, *inside = path.keys or ("",)
            value = self._values.get(str(first))
            plain = all(isinstance(key, str) and key.isidentifier() for key in inside)
            if pieces is not None and inside and plain and isinstance(value, Resolve):
                name = "_".join(map(word, map(str, path.keys)))
                self.extra[name] = Resolve(resource=value.resource, field=".".join((value.field, *map(str, inside))))
                pieces[path.start : path.end] = [Piece("name", f"parent.{name}", is_new=True)]
        return text if pieces is None else joined(pieces)

    def _own(self, name: str) -> str:
        """A value of the partition; of a group the list that has it."""
        return f"[parent.{word(name)}]" if self.grouped else f"parent.{word(name)}"

    def _named(self, found: re.Match[str]) -> str:
        name = _name_in(found)
        if name in self._values or word(name) in self._values:
            return self._own(name)
        if name in (self.start, "start_time"):
            return "interval.start"
        return "interval.end" if name in (self.end, "end_time") else found[0]


def _with_state(text: str, cursor: str | None) -> str:
    """A template in which the cursor of the last sync, `stream_state['updated_at']`, is where the interval begins.

    Anything else of the state is empty, as it is for the CDK: it knows no state in a request since 6.34.
    """
    pieces = pieces_of(text) if STATE in text else None
    if pieces is None:
        return text
    for path in reversed(paths_of(pieces, STATE)):
        is_cursor = cursor is not None and path.keys in ((), (cursor,))
        new = "interval.start" if is_cursor else "''"
        pieces[path.start : path.end] = [Piece("name", new, is_new=True)]
    return joined(pieces)


def small_headers(text: str) -> str:
    """A template whose headers are named in small letters, as answers have them here: `headers['X-Next']`."""
    return _HEADER_NAME.sub(lambda found: found[0].lower(), text)


def is_template(text: Any) -> bool:
    return isinstance(text, str) and has_template(text)


def secrets_in(template: Template, settings: ConfigSettings) -> list[str]:
    """The credentials among the settings that a template with flat names has in it."""
    return [name for name in (*template.configured, *template.optional) if settings.is_secret(name)]


def single_expression(text: str) -> str | None:
    """What stands in a template that is one expression."""
    found = _SINGLE.fullmatch(text.strip())
    return found[1] if found else None


def setting_in(text: Any, settings: ConfigSettings) -> str | None:
    """The setting whose value a text is, also with a default; None for another text."""
    if not is_template(text):
        return None
    inner = single_expression(settings.flattened(text))
    if inner is None:
        return None
    found = re.fullmatch(r"config(?:\.(\w+)|\[\s*['\"](\w+)['\"]\s*\]|\.get\(\s*['\"](\w+)['\"](?:,[^()]*)?\))", inner)
    # `config.get` is a method.
    return (found[1] or found[2] or found[3]) if found and found[1] != "get" else None


def _name_in(found: re.Match[str]) -> str:
    return str(found["dot"] or found["item"] or found["get"])


def word(name: str) -> str:
    """A name as our placeholders have it."""
    return re.sub(r"\W", "_", name)
