"""What is sent: method, address, query, headers and body, of a declared list and the values that fill it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from platform_assets.declarations import Endpoint, Template
from platform_assets.declarations.places import BODY, HEADER, VALUE
from platform_assets.http.errors import AnswerError
from platform_assets.http.urls import ParamValue

# The name, among the values of a request, of an address that an answer gave for the next page.
LINK = "link:"


@dataclass(frozen=True)
class Outgoing:
    """One request, before the credential is added.

    Args:
        path: relative to the base URL, begins with a slash, already percent-encoded (see `fill_path`).
        params: the query.
        headers: beside those of the client.
        json, data: the body, if it has one: JSON, or a form's fields.
        link: replaces address and query: an absolute URL that an answer gave.
        is_file: whether the link is that of a file, which may be on another server: that one gets no credential, and
            `params` stand beside the link's own.
        credential: whether the API's own server gets the credential.
        label: names it in messages, in place of the path.
    """

    path: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    data: Mapping[str, ParamValue] | None = None
    link: str | None = None
    is_file: bool = False
    credential: bool = True
    label: str | None = None

    @property
    def name(self) -> str:
        """For messages: `GET /v1/orders`. Never the query, which may have a credential."""
        return f"{self.method} {self.label or self.path}"

    @property
    def can_be_redirected(self) -> bool:
        """Whether a redirect by any status asks for the same: clients turn what has a body into a GET without it."""
        return self.method == "GET" and self.json is None and self.data is None


def outgoing(endpoint: Endpoint, path: str, values: Mapping[str, ParamValue]) -> Outgoing:
    """The request of a list.

    Args:
        endpoint: its method and body.
        path: filled in.
        values: everything else that is sent, by its place (declarations/places.py). A template of the declared body
            that has no value here is not sent.

    Raises AnswerError for a place that the declared body does not have.
    """
    body = {name.removeprefix(BODY): value for name, value in values.items() if name.startswith(BODY)}
    headers = {name.removeprefix(HEADER): str(value) for name, value in values.items() if name.startswith(HEADER)}
    link = values.get(LINK)
    is_form = endpoint.data is not None
    json = None
    if not is_form and (endpoint.json is not None or body):
        json = _filled(endpoint.json or {}, body)
        for place, value in body.items():
            put(json, place, value)
    return Outgoing(
        path=path,
        params={name: value for name, value in values.items() if not name.startswith((BODY, HEADER, LINK, VALUE))},
        method=endpoint.method,
        headers=headers,
        json=json,
        data=body if is_form else None,
        link=None if link is None else str(link),
    )


def _filled(declared: Any, body: dict[str, ParamValue], path: str = "") -> Any:
    """The declared body with its values filled in, which are taken out of `body`; lists and objects are new ones."""
    if isinstance(declared, Mapping):
        filled = {key: _filled(inner, body, f"{path}.{key}" if path else str(key)) for key, inner in declared.items()}
        return {key: inner for key, inner in filled.items() if not isinstance(inner, Template)}
    if isinstance(declared, list | tuple):
        items = [_filled(one, body, f"{path}.{place}" if path else str(place)) for place, one in enumerate(declared)]
        return [one for one in items if not isinstance(one, Template)]
    return body.pop(path) if path in body else declared


def put(json: Any, place: str, value: Any) -> None:
    """Set a value at a dotted path, making the objects that lead to it. Raises AnswerError where one is none."""
    *outer, last = place.split(".")
    for key in outer:
        if not isinstance(json, dict):
            break
        json = json.setdefault(key, {})
    if not isinstance(json, dict):
        raise AnswerError(f"the body has no object for `{place}`")
    json[last] = value
