"""Values of a request by their place: those sent as they are, and those of the cursor, the paginator, a credential."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from platform_assets.declarations import ListedPortions, Portions, Template
from platform_assets.declarations.places import BODY, POSITION
from platform_assets.declarations.resource import Param
from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, REQUEST
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.options import Option
from platform_assets.importing.manifest.paging import CountedToken, counted_token, framed_token, next_token_in
from platform_assets.importing.manifest.texts import Bound, NotCarried, Texts, is_template, secrets_in

# What a template of a request has.
NAMES = REQUEST | FUNCTIONS | CLOCKS


@dataclass
class Places:
    """Values by their place while a request is read."""

    texts: Texts
    findings: Findings
    name: str
    params: dict[str, Param] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    bounds: dict[str, str] = field(default_factory=dict)
    token: Option | None = None
    sent_as: str | None = POSITION
    counted: CountedToken | None = None
    credentials: dict[str, str] = field(default_factory=dict)
    portions: Portions | ListedPortions | None = None
    property_lists: Mapping[str, str] = field(default_factory=dict)

    def converted(self, given: Any, place: str, what: str) -> Any:
        """A value of a place; None if it is sent by something else, the cursor or the paginator."""
        kind, _, name = place.partition(":") if ":" in place else ("query", "", place)
        framed = POSITION if next_token_in(given) else framed_token(given)
        counted = counted_token(given) if framed is None else None
        if framed is not None or counted is not None:
            if self.token is not None:
                raise NotCarried("the position of the next page is sent twice")
            self.token, self.sent_as, self.counted = Option(**{kind: name}), framed, counted
            return None if counted is None else self._around(counted, what)
        if isinstance(given, str) and "next_page_token" in given:
            raise NotCarried(f"`{what}` has the position of the next page inside a template")
        found = self.texts.value(given, NAMES, what)
        if isinstance(found, Bound):
            is_in_list = place.startswith(BODY) and any(part.isdigit() for part in name.split("."))
            if is_in_list:
                # No name leads into a list: a template is rendered where it stands.
                self.texts.uses_interval.add(found.which)
            if found.which in self.bounds or is_in_list:
                # Sent twice: the second one takes the first one's value.
                return Template("{{ interval." + found.which + " }}")
            self.bounds[found.which] = place
            return None
        return found

    def _around(self, counted: CountedToken, what: str) -> Template | None:
        """The template that a position stands in; None if it is a text, which the paginator has."""
        if not is_template(counted.text):
            self.sent_as = counted.text
            return None
        return self.texts.template(self.texts.rewritten(counted.text), NAMES, what)


def takes_credential(place: str, given: Any, places: Places) -> bool:
    """Whether a value was taken as a credential, because it has a secret in it."""
    settings = places.texts.settings
    if not is_template(given) or not secrets_in(Template(settings.flattened(given)), settings):
        return False
    places.credentials[place] = given
    return True


def mapping_of(given: Any, what: str) -> dict[str, Any]:
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        if is_template(given):
            raise NotCarried(f"`{what}` is a template as a whole")
        return dict(parse_qsl(given, keep_blank_values=True))
    if not isinstance(given, Mapping):
        raise NotCarried(f"`{what}` is no object")
    return {str(key): value for key, value in given.items()}
