"""The body of a request: JSON or a form."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from platform_assets.declarations.places import BODY
from platform_assets.importing.manifest.placing import Places, mapping_of, takes_credential
from platform_assets.importing.manifest.template_credentials import FORM
from platform_assets.importing.manifest.texts import NotCarried, is_template

_LISTED = re.compile(r"\s*\[\s*(\{\{(?:(?!\}\}|\{\{).)*\}\})\s*\]\s*", re.DOTALL)


def body_and_form(requester: Mapping[str, Any], places: Places) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The JSON body and the form."""
    given = requester.get("request_body")
    json_body, form = requester.get("request_body_json"), requester.get("request_body_data")
    if isinstance(given, Mapping):
        kind, value = given.get("type"), given.get("value")
        if kind in ("RequestBodyJsonObject", "RequestBodyGraphQL"):
            json_body = value
        elif kind == "RequestBodyUrlEncodedForm":
            form = value
        else:
            raise NotCarried("a body that is neither JSON nor a form is not in our vocabulary")
    if isinstance(json_body, str) and json_body.strip():
        json_body = _parsed(json_body)
    if isinstance(form, str) and form.strip():
        if is_template(form) or "=" not in form:
            raise NotCarried("a body that is a text is not in our vocabulary")
        fields = dict(parse_qsl(form, keep_blank_values=True))
    else:
        # Of fields that are written as an object, the CDK leaves out those that are empty.
        fields = {key: value for key, value in mapping_of(form, "request_body_data").items() if value not in (None, "")}
    body = _json(json_body, "", places) if json_body else None
    sent = None
    if form:
        sent = {}
        for key, value in fields.items():
            if takes_credential(f"{FORM}{key}", value, places):
                continue
            converted = places.converted(value, f"body:{key}", f"request_body_data.{key}")
            if converted is not None:
                sent[key] = str(converted) if isinstance(converted, bool | float) else converted
    return body, sent


def _parsed(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        raise NotCarried("a JSON body that is a template as a whole is not in our vocabulary") from None
    if not isinstance(found, dict):
        raise NotCarried("a JSON body that is no object is not in our vocabulary")
    return found


def _json(given: Any, path: str, places: Places) -> Any:
    """A value of a JSON body. As in the CDK, fields that are null or empty are left out; in a list both are null."""
    if isinstance(given, Mapping):
        found: dict[str, Any] = {}
        for key, value in given.items():
            inner = f"{path}.{key}" if path else str(key)
            converted = _json(value, inner, places)
            if converted is not None:
                found[str(key)] = converted
        return found
    if (value := places.texts.group(given)) is not None:
        return [value]
    if isinstance(given, str) and (listed := _LISTED.fullmatch(given)):
        # The CDK reads what a text comes to: `[{{ stream_partition.id }}]` is a list of one value.
        given = [listed[1]]
    if isinstance(given, list):
        parts = [_json(value, f"{path}.{place}", places) for place, value in enumerate(given)]
        if any(part is None and value not in (None, "") for part, value in zip(parts, given, strict=True)):
            raise NotCarried(f"`request_body_json.{path}` has the cursor or the next page inside a list")
        return parts
    if given == "":
        return None
    if given is None or isinstance(given, bool | int | float):
        return given
    # Places in a list, which are numbers, move with what stands before them.
    is_field = not any(part.isdigit() for part in path.split("."))
    if is_field and takes_credential(f"{BODY}{path}", given, places):
        return None
    return places.converted(given, f"body:{path}", f"request_body_json.{path}")
