"""A requester's request: address, path, parameters, headers and body, with the values that fill them."""

import json
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
from platform_assets.declarations.places import BODY, HEADER, POSITION, leaves
from platform_assets.declarations.resource import Param
from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, REQUEST, SETTINGS
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.credentials import request_auth
from platform_assets.importing.manifest.cursors import Found
from platform_assets.importing.manifest.options import Option, option_of
from platform_assets.importing.manifest.paging import CountedToken, counted_token, framed_token, next_token_in
from platform_assets.importing.manifest.partitions import Partitions
from platform_assets.importing.manifest.texts import (
    Bound,
    NotCarried,
    PartitionValue,
    Texts,
    is_template,
    secrets_in,
    word,
)

_NAMES = REQUEST | FUNCTIONS | CLOCKS
_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
_LISTED = re.compile(r"\s*\[\s*(\{\{(?:(?!\}\}|\{\{).)*\}\})\s*\]\s*", re.DOTALL)
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


@dataclass
class _Places:
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
        found = self.texts.value(given, _NAMES, what)
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
        return self.texts.template(self.texts.rewritten(counted.text), _NAMES, what)


def convert_request(
    requester: Mapping[str, Any], partitions: Partitions, texts: Texts, findings: Findings, name: str
) -> Request:
    """The request of a requester. Raises NotCarried."""
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
    places = _Places(texts, findings, name)
    base, path = address_of(requester)
    path, query = _without_query(path)
    path = _path(path, places)
    for key, value in {**query, **_mapping(requester.get("request_parameters"), "request_parameters")}.items():
        _parameter(key, value, places)
    for key, value in _mapping(requester.get("request_headers"), "request_headers").items():
        _header(key, value, places)
    body, form = _body(requester, places)
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
    )
    start, end = (places.bounds.get(which) for which in ("start", "end"))
    start = start or ("value:start" if "start" in texts.uses_interval else None)
    end = end or ("value:end" if "end" in texts.uses_interval else None)
    auth = request_auth(places.credentials, texts.settings) if places.credentials else None
    if method == "GET" and not body and any(place.startswith(BODY) for place in places.credentials):
        raise NotCarried("a credential in the body of a GET is not in our vocabulary")
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


def _path(path: str, places: _Places) -> str:
    """The path with placeholders for its templates."""
    path = path.strip("/") if not path.endswith("/") or path == "/" else path.lstrip("/")
    if "next_page_token" in path:
        raise NotCarried("its path has the position of the next page in it")
    if "{%" in path:
        places.params["path"] = places.texts.template(places.texts.rewritten(path.lstrip("/")), _NAMES, "path")
        return "/{+path}"

    def placeholder(found: re.Match[str]) -> str:
        value = places.texts.value(found[0], _NAMES, "path")
        if isinstance(value, Bound):
            value = places.texts.template("{{ interval." + value.which + " }}", _NAMES, "path")
        name = _placeholder_name(value, places)
        places.params[name] = value if not isinstance(value, bool | float) else str(value)
        return "{+" + name + "}"

    if "{" in _EXPRESSION.sub("", path) or "}" in _EXPRESSION.sub("", path):
        raise NotCarried("its path has a brace that is no template")
    return "/" + _EXPRESSION.sub(placeholder, path)


def _placeholder_name(value: Any, places: _Places) -> str:
    partition = {**places.texts.extra, **places.texts.partition}
    named = next((name for name, own in partition.items() if own == value), None)
    if named is not None:
        return named
    if isinstance(value, Configured):
        return word(value.setting)
    number = 1 + sum(name.startswith("part_") for name in places.params)
    return f"part_{number}"


def _parameter(key: str, given: Any, places: _Places) -> None:
    if isinstance(given, Mapping) and given.get("type") == "QueryProperties":
        listed = given.get("property_list")
        if given.get("property_chunking") or not isinstance(listed, list):
            raise NotCarried("properties in several requests, or read from an endpoint, are not in our vocabulary")
        given = ",".join(map(str, listed))
    if isinstance(given, list):
        values = [places.texts.value(one, _NAMES, f"request_parameters.{key}") for one in given]
        if not all(isinstance(one, str | int) for one in values):
            raise NotCarried(f"`request_parameters.{key}` is a list with computed values")
        places.params[key] = tuple(str(one) for one in values)
        return
    if given is None or given == "":
        return
    if _credential(key, given, places):
        why = "the credential is in the query, which servers log"
        places.findings.suspected(places.name, f"request_parameters.{key}", why)
        return
    value = places.converted(given, key, f"request_parameters.{key}")
    if value not in (None, ""):
        # As Python writes them, which is what the CDK sends.
        places.params[key] = str(value) if isinstance(value, bool | float) else value


def _header(key: str, given: Any, places: _Places) -> None:
    if given is None or given == "" or _credential(f"{HEADER}{key}", given, places):
        return
    value = places.converted(given, f"header:{key}", f"request_headers.{key}")
    if value not in (None, ""):
        places.headers[key] = value if not isinstance(value, bool | int | float) else str(value)


def _credential(place: str, given: Any, places: _Places) -> bool:
    """Whether a value was taken as a credential, because it has a secret in it."""
    settings = places.texts.settings
    if not is_template(given) or not secrets_in(Template(settings.flattened(given)), settings):
        return False
    places.credentials[place] = given
    return True


def _body(requester: Mapping[str, Any], places: _Places) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
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
        form = dict(parse_qsl(form, keep_blank_values=True))
    body = _json(json_body, "", places) if json_body else None
    sent = None
    if form:
        sent = {}
        for key, value in _mapping(form, "request_body_data").items():
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


def _json(given: Any, path: str, places: _Places) -> Any:
    if isinstance(given, Mapping):
        found: dict[str, Any] = {}
        for key, value in given.items():
            inner = f"{path}.{key}" if path else str(key)
            converted = _json(value, inner, places)
            if converted is not None or value is None:
                found[str(key)] = converted
        return found
    if isinstance(given, str) and (listed := _LISTED.fullmatch(given)):
        # The CDK reads what a text comes to: `[{{ stream_partition.id }}]` is a list of one value.
        given = [listed[1]]
    if isinstance(given, list):
        parts = [_json(value, f"{path}.{place}", places) for place, value in enumerate(given)]
        if any(part is None and value is not None for part, value in zip(parts, given, strict=True)):
            raise NotCarried(f"`request_body_json.{path}` has the cursor or the next page inside a list")
        return parts
    if given is None or isinstance(given, bool | int | float):
        return given
    # Places in a list, which are numbers, move with what stands before them.
    is_field = not any(part.isdigit() for part in path.split("."))
    if is_field and _credential(f"{BODY}{path}", given, places):
        return None
    return places.converted(given, f"body:{path}", f"request_body_json.{path}")


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for key in outer:
        body = body.setdefault(key, {})
    body[last] = value


def _placed_once(
    places: _Places, partitions: Partitions, path: str, body: dict[str, Any] | None, form: dict[str, Any] | None
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


def _mapping(given: Any, what: str) -> dict[str, Any]:
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        if is_template(given):
            raise NotCarried(f"`{what}` is a template as a whole")
        return dict(parse_qsl(given, keep_blank_values=True))
    if not isinstance(given, Mapping):
        raise NotCarried(f"`{what}` is no object")
    return {str(key): value for key, value in given.items()}
