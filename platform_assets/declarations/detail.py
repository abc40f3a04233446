"""A detail: one more request per row, for fields that the list of rows does not have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.strict import strict

_PLACEHOLDER = re.compile(r"\{\+?([^{}]*)\}")


@strict
@dataclass(frozen=True)
class BodyText:
    """The whole body, as a text. Null if it is none, e.g. an archive."""


@strict
@dataclass(frozen=True)
class Every:
    """A field's values in all records of the detail's list, in its order and each once: an array for a `json` column.

    Args:
        field: dotted path in each record.
    """

    field: str


@strict
@dataclass(frozen=True)
class Newest:
    """A field's value in the newest record of the detail's list; null if the list is empty.

    Args:
        field: dotted path in the record.
        by: dotted path to the time that tells which record is the newest. Of equal times the last one counts.
    """

    field: str
    by: str


# What a detail fills a field with; a text is a dotted path in the one object that the detail is (`SingleObject`).
Source = str | BodyText | Every | Newest


@strict
@dataclass(frozen=True, kw_only=True)
class Detail:
    """A request per row of a list, for fields that only the row's own path has. Sent if the setting `details` is on.

    Args:
        path: relative to its list's `base_url`; `{name}` is the row's field of this name, as the table has it, and
            `{+name}` one whose slashes stay.
        fields: field of the table -> what it is filled with. A number for a `text` column becomes its digits.
        params: query parameters.
        paginator, data_selector: default to the client's; they do not apply to a `BodyText`.
    """

    path: str
    fields: Mapping[str, Source]
    params: Mapping[str, str | int] = field(default_factory=dict)
    paginator: Paginator | None = None
    data_selector: str | None = None

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(_PLACEHOLDER.findall(self.path))

    @property
    def is_text(self) -> bool:
        """Whether the body is a text, not JSON with records."""
        return any(isinstance(source, BodyText) for source in self.fields.values())
