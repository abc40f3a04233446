"""Where a request takes a value: the `RequestOption` of a page's position or size, a cursor's bound, a partition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform_assets.declarations.places import in_body, in_header
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import NotCarried, is_template, setting_in


@dataclass(frozen=True)
class Option:
    """A place of a request; one of the three is set.

    Attributes:
        query: name of the parameter.
        body: dotted path in the body, or name of the form's field.
        header: name of the header.
    """

    query: str | None = None
    body: str | None = None
    header: str | None = None

    @property
    def place(self) -> str:
        """The place's name beside others (declarations/places.py)."""
        return in_body(self.body) if self.body else in_header(self.header) if self.header else self.query or ""


_KINDS = {"request_parameter": "query", "body_json": "body", "body_data": "body", "header": "header"}


def is_named(component: Mapping[str, Any], settings: ConfigSettings) -> bool:
    """Whether a component names a place: manifests leave the name empty, or a setting that no user has, for none."""
    name = component.get("field_name")
    if component.get("field_path") or not isinstance(name, str):
        return True
    setting = setting_in(name, settings)
    return bool(name.strip()) and (setting is None or setting in settings.all)


def option_of(component: Mapping[str, Any], what: str) -> Option:
    """The place that a component names. Raises NotCarried, which names it as `what`."""
    name, path = component.get("field_name"), component.get("field_path")
    found = ".".join(map(str, path)) if isinstance(path, list) else name
    if not isinstance(found, str) or not found or is_template(found):
        raise NotCarried(f"{what} has no name that is written out")
    kind = _KINDS.get(str(component.get("inject_into")))
    if kind is None:
        raise NotCarried(f"{what} goes into `{component.get('inject_into')}`, which is not in our vocabulary")
    return Option(**{kind: found})


def in_query_of_get(option: Option, has_body: bool, findings: Findings, name: str) -> Option:
    """The place, in the query for a GET without a body: servers ignore one, so that page 1 would be all there is."""
    if has_body or option.body is None:
        return option
    findings.mended(name, option.body, "is sent in the query: it stood in the body of a GET, which servers ignore")
    return Option(query=option.body)
