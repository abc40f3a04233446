"""A requester's request: address, path, parameters, headers and body, with the values that fill them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

from platform_assets.declarations import (
    Auth,
    Configured,
    Endpoint,
    Resolve,
    Template,
)
from platform_assets.declarations.places import HEADER, POSITION, leaves
from platform_assets.declarations.template_problems import FUNCTIONS, SETTINGS
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.credentials import request_auth
from platform_assets.importing.manifest.cursors import Found
from platform_assets.importing.manifest.options import Option, option_of
from platform_assets.importing.manifest.paging import CountedToken
from platform_assets.importing.manifest.partitions import Partitions
from platform_assets.importing.manifest.placing import NAMES, Places, mapping_of, takes_credential
from platform_assets.importing.manifest.query_properties import portions_in
from platform_assets.importing.manifest.request_body import body_and_form
from platform_assets.importing.manifest.texts import (
    Bound,
    NotCarried,
    PartitionValue,
    Texts,
    is_template,
    secrets_in,
    word,
)

_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
# A value of the partition behind the host is a path.
_ORIGIN = re.compile(r"(https?://(?:\{\{(?:(?!\}\}|\bstream_).)*\}\}|[^/{])+)(.*)", re.DOTALL)


@dataclass
class Request:
    """What a list is asked with.

    Attributes:
        base_url: as `Platform.base_url`; None if a setting must say, as it is computed from a credential.
        endpoint: path, params, method, headers and body; nothing else of it is filled.
        sent: places of the interval's bounds.
        token: the place that a template fills with the position of the next page.
        sent_as: the value at that place, with `{}` for the position; None if it is a template of the endpoint's.
        counted: how positions are counted there; None if as they are.
        auth: a credential that stands among the parameters, headers and fields of the body.
    """

    base_url: str | Template | None
    endpoint: Endpoint
    sent: Found = field(default_factory=Found)
    token: Option | None = None
    auth: Auth | None = None
    sent_as: str | None = POSITION
    counted: CountedToken | None = None


def convert_request(
    requester: Mapping[str, Any],
    partitions: Partitions,
    texts: Texts,
    findings: Findings,
    name: str,
    property_lists: Mapping[str, str],
) -> Request:
    """The request of a requester. Raises NotCarried.

    Args:
        property_lists: parameter -> the resource that has the names of the properties which it asks for.
    """
    if requester.get("type") != "HttpRequester":
        why = f"`{requester.get('class_name', requester.get('type'))}` is Python, which is never run"
        if not (requester.get("url_base") or requester.get("url")):
            raise NotCarried(why)
        findings.not_carried(name, "requester", f"{why}: carried as a plain request, without what the class does to it")
    for key in ("fetch_properties_from_endpoint", "query_properties"):
        if requester.get(key):
            raise NotCarried(f"`{key}` is not in our vocabulary")
    method = str(requester.get("http_method") or "GET").upper()
    if method not in ("GET", "POST"):
        raise NotCarried(f"a list that is read by {method} is not in our vocabulary")
    places = Places(texts, findings, name, property_lists=property_lists)
    base, path = address_of(requester)
    path, query = _without_query(path)
    path = _path(path, places)
    for key, value in query.items():
        if value == "":
            # What stands in the address is sent as it is.
            places.params[key] = ""
        else:
            _parameter(key, value, places)
    for key, value in _parameters(requester.get("request_parameters"), places).items():
        _parameter(key, value, places)
    for key, value in mapping_of(requester.get("request_headers"), "request_headers").items():
        _header(key, value, places)
    body, form = body_and_form(requester, places)
    for partition, option in partitions.options:
        target = option_of(option, "a partition's value")
        value = partitions.values[partition]
        if target.header:
            places.headers[target.header] = value
        elif target.query:
            places.params[target.query] = value
        elif target.body and form is not None:
            form[target.body] = value
        elif target.body:
            body = body or {}
            _put(body, target.body, value)
    body, form = _placed_once(places, partitions, path, body, form)
    if method == "GET" and (body or form):
        findings.suspected(name, "request_body", "a GET with a body, which servers and proxies may drop")
        if form:
            raise NotCarried("a GET with a form is not in our vocabulary")
    endpoint = Endpoint(
        path=path,
        params=places.params,
        method=cast("Literal['GET', 'POST']", method),
        json=body or None,
        data=form or None,
        headers=places.headers,
        portions=places.portions,
    )
    start, end = (places.bounds.get(which) for which in ("start", "end"))
    start = start or ("value:start" if "start" in texts.uses_interval else None)
    end = end or ("value:end" if "end" in texts.uses_interval else None)
    auth = request_auth(places.credentials, texts.settings) if places.credentials else None
    return Request(
        _base_url(base, texts, findings),
        endpoint,
        Found(start, end),
        places.token,
        auth,
        places.sent_as,
        places.counted,
    )


def address_of(requester: Mapping[str, Any]) -> tuple[str, str]:
    """Base URL and path as written. Raises NotCarried if there is no address."""
    url, base, path = requester.get("url"), requester.get("url_base"), requester.get("path")
    if isinstance(path, str) and path.strip() in ("", "/"):
        # The address as it stands, without a slash behind it.
        path = None
    if isinstance(path, str) and (found := _ORIGIN.fullmatch(path.strip())):
        # A path may be a whole address.
        return found[1], found[2]
    is_whole = isinstance(base, str) and "stream_" in base and not path
    if isinstance(path, str) and isinstance(base, str) and base.strip() and not is_whole:
        return base.strip().rstrip("/"), path.strip()
    whole = url if isinstance(url, str) and url.strip() else base
    if not isinstance(whole, str):
        raise NotCarried("its address is not said")
    found = _ORIGIN.fullmatch(whole.strip())
    if isinstance(path, str) and path.strip():
        return whole.strip().rstrip("/"), path.strip()
    return (found[1], found[2]) if found else (whole.strip().rstrip("/"), "")


def _base_url(text: str, texts: Texts, findings: Findings) -> str | Template | None:
    if not is_template(text):
        if not text.startswith(("http://", "https://")):
            raise NotCarried(f"`url_base` {text[:60]!r} is no address")
        return text
    secrets = secrets_in(Template(texts.settings.flattened(text)), texts.settings)
    if secrets:
        # An address is logged, so no template of one can have a secret.
        why = f"is computed from the credential `{secrets[0]}`: set it as the setting `base_url`"
        findings.assumed(None, "url_base", why)
        return None
    return texts.template(texts.rewritten(text), SETTINGS | FUNCTIONS, "url_base")


def _without_query(path: str) -> tuple[str, dict[str, Any]]:
    outside = _EXPRESSION.sub(lambda found: "\0" * len(found[0]), path)
    at = outside.find("?")
    if at < 0 or "{%" in path:
        return path, {}
    rest = path[at + 1 :]
    if "=" not in outside[at:]:
        # `index.php?/api/v2/get_users`: no name and value.
        return path, {}
    if not is_template(rest):
        return path[:at], dict(parse_qsl(rest, keep_blank_values=True))
    pairs = (pair.partition("=") for pair in rest.split("&") if pair)
    return path[:at], {key: value for key, _, value in pairs}


def _path(path: str, places: Places) -> str:
    """The path with placeholders for its templates."""
    path = path.strip("/") if not path.endswith("/") or path == "/" else path.lstrip("/")
    if "next_page_token" in path:
        raise NotCarried("its path has the position of the next page in it")
    if "{%" in path:
        places.params["path"] = places.texts.template(places.texts.rewritten(path.lstrip("/")), NAMES, "path")
        return "/{+path}"

    def placeholder(found: re.Match[str]) -> str:
        value = places.texts.value(found[0], NAMES, "path")
        if isinstance(value, Bound):
            value = places.texts.template("{{ interval." + value.which + " }}", NAMES, "path")
        name = _placeholder_name(value, places)
        places.params[name] = value if not isinstance(value, bool | float) else str(value)
        return "{+" + name + "}"

    if "{" in _EXPRESSION.sub("", path) or "}" in _EXPRESSION.sub("", path):
        raise NotCarried("its path has a brace that is no template")
    return "/" + _EXPRESSION.sub(placeholder, path)


def _placeholder_name(value: Any, places: Places) -> str:
    partition = {**places.texts.extra, **places.texts.partition}
    named = next((name for name, own in partition.items() if own == value), None)
    if named is not None:
        return named
    if isinstance(value, Configured):
        return word(value.setting)
    number = 1 + sum(name.startswith("part_") for name in places.params)
    return f"part_{number}"


def _parameters(given: Any, places: Places) -> dict[str, Any]:
    if isinstance(given, str) and given.strip():
        why = "is a text, of which the CDK sends nothing: write an object if it is to be sent"
        places.findings.suspected(places.name, "request_parameters", why)
        return {}
    return mapping_of(given, "request_parameters")


def _parameter(key: str, given: Any, places: Places) -> None:
    if isinstance(given, Mapping) and given.get("type") == "QueryProperties":
        given = _first_portion(key, given, places)
    if isinstance(given, list):
        values = [places.texts.value(one, NAMES, f"request_parameters.{key}") for one in given]
        if not all(isinstance(one, str | int) for one in values):
            raise NotCarried(f"`request_parameters.{key}` is a list with computed values")
        places.params[key] = tuple(str(one) for one in values)
        return
    if given is None or given == "":
        return
    if takes_credential(key, given, places):
        why = "the credential is in the query, which servers log"
        places.findings.suspected(places.name, f"request_parameters.{key}", why)
        return
    value = places.converted(given, key, f"request_parameters.{key}")
    if value not in (None, ""):
        # As Python writes them, which is what the CDK sends.
        places.params[key] = str(value) if isinstance(value, bool | float) else value


def _first_portion(key: str, given: Mapping[str, Any], places: Places) -> str | None:
    """The fields that the first request of a page asks for; the others are noted. Raises NotCarried."""
    first, portions = portions_in(given, key, places.property_lists.get(key))
    if portions is not None:
        if places.portions is not None:
            raise NotCarried("two parameters with properties in several requests are not in our vocabulary")
        places.portions = portions
    return first


def _header(key: str, given: Any, places: Places) -> None:
    if given is None or given == "" or takes_credential(f"{HEADER}{key}", given, places):
        return
    value = places.converted(given, f"header:{key}", f"request_headers.{key}")
    if value not in (None, ""):
        places.headers[key] = value if not isinstance(value, bool | int | float) else str(value)


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for key in outer:
        body = body.setdefault(key, {})
    body[last] = value


def _placed_once(
    places: Places, partitions: Partitions, path: str, body: dict[str, Any] | None, form: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The body and the form, where each value of the partition stands in one place and other places refer to it.

    Two places of a list's values would be combined, each with each. A value that is sent nowhere is there all the same:
    the list is read once for it.
    """
    own = {**places.texts.extra, **partitions.values}
    for name in (*partitions.values, *sorted(places.texts.used - partitions.values.keys())):
        value = own[name]
        if any(_is_inside(own[used], value) for used in places.texts.used if used not in partitions.values):
            # The field of the object that is sent tells the lists apart.
            continue
        in_path = "{+" + name + "}" in path
        params = {key: one for key, one in places.params.items() if key != name or not in_path}
        direct = sum(one == value for _, one in leaves({"": [params, places.headers, body or {}, form or {}]}))
        if not in_path and name not in places.texts.used and direct == 1:
            continue
        other = Template("{{ parent." + name + " }}")
        for key, one in params.items():
            if one == value:
                places.params[key] = other
        places.headers = _replaced(places.headers, value, other)
        body, form = _replaced(body, value, other), _replaced(form, value, other)
        if not in_path:
            places.params[f"value:{name}"] = value
    return body, form


def _is_inside(field: PartitionValue, whole: PartitionValue) -> bool:
    """Whether a value is a field of another one, which is an object of the parent's row."""
    if not isinstance(field, Resolve) or not isinstance(whole, Resolve):
        return False
    return field.resource == whole.resource and field.field.startswith(f"{whole.field}.")


def _replaced(given: Any, value: Any, other: Template) -> Any:
    if isinstance(given, Mapping):
        return {key: _replaced(one, value, other) for key, one in given.items()}
    if isinstance(given, list):
        return [_replaced(one, value, other) for one in given]
    return other if given is not None and given == value else given
