"""Authenticators as ways to send a credential."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    HttpBasicAuth,
    NoAuth,
    SessionToken,
    Template,
)
from platform_assets.declarations.places import BODY, HEADER
from platform_assets.importing.manifest.durations import iso_duration
from platform_assets.importing.manifest.oauth import convert_oauth, token_address, values_of
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.template_credentials import (
    FORM,
    as_templates,
    computed_basic,
    plain_text,
    setting_of,
    shown,
    template_auth,
    template_of,
    together,
)
from platform_assets.importing.manifest.texts import NotCarried, is_template, setting_in

_BEARER = re.compile(r"\s*Bearer\s+(\{\{.*\}\})\s*", re.DOTALL)
_PREFIXED = re.compile(r"\s*([A-Za-z][\w.=-]{0,30}[ =:]\s*)(\{\{.*\}\})\s*", re.DOTALL)
_BASIC = re.compile(
    r"Basic\s+\{\{\s*\(?\s*([^~+{}]*?)\s*[~+]\s*[\"']:[\"']\s*(?:[~+]\s*([^~+{}]*?)\s*)?\)?\s*\|\s*base64encode\s*\}\}",
    re.DOTALL,
)
_PREFIXES = {"header": HEADER, "request_parameter": "", "body_json": BODY, "body_data": FORM}


def convert_auth(component: Any, settings: ConfigSettings, base_url: str) -> Auth:
    """The credential of an authenticator. Raises NotCarried."""
    if not isinstance(component, Mapping):
        return NoAuth()
    kind = component.get("type")
    if kind == "NoAuth":
        return NoAuth()
    if kind == "BearerAuthenticator":
        return _bearer(component.get("api_token"), settings)
    if kind == "ApiKeyAuthenticator":
        return _api_key(component, settings)
    if kind == "BasicHttpAuthenticator":
        return basic(component.get("username"), component.get("password"), settings)
    if kind == "OAuthAuthenticator":
        return convert_oauth(component, settings, base_url)
    if kind == "SessionTokenAuthenticator":
        return _session(component, settings, base_url)
    if kind == "LegacySessionTokenAuthenticator":
        return _legacy_session(component, settings)
    if kind == "CustomAuthenticator":
        raise NotCarried(f"`{component.get('class_name')}` is Python, which is never run")
    raise NotCarried(f"`{kind}` is not in our vocabulary")


def options_of(component: Any) -> dict[str, Any]:
    """The authenticators that a setting chooses from, by the setting's value; empty for one without a choice."""
    options = component.get("authenticators") if isinstance(component, Mapping) else None
    if component is None or component.get("type") != "SelectiveAuthenticator" or not isinstance(options, Mapping):
        return {}
    return {str(name): option for name, option in options.items()}


def request_auth(given: Mapping[str, str], settings: ConfigSettings) -> Auth:
    """The credential that stands among a request's own values, as one or several of them. Raises NotCarried.

    Args:
        given: place of a value (declarations/places.py) -> its template.
    """
    return together([_placed(place, text, settings) for place, text in given.items()])


def _placed(place: str, text: str, settings: ConfigSettings) -> Auth:
    text = plain_text(text, settings)
    if place.startswith(HEADER):
        found = _in_header(place.removeprefix(HEADER), text, settings)
    else:
        found = None if place.startswith((BODY, FORM)) else _prefixed(place, "query", text, settings)
    shown = place.removeprefix(HEADER).removeprefix(BODY).removeprefix(FORM)
    return found or template_auth(place, template_of(text, settings, shown))


def _bearer(given: Any, settings: ConfigSettings) -> Auth:
    token = setting_in(plain_text(given, settings), settings)
    if token is not None:
        return BearerAuth(token=token)
    if not is_template(given):
        raise NotCarried(f"`api_token` is not one setting: {shown(given)}")
    return template_auth("header:Authorization", template_of(f"Bearer {given.strip()}", settings, "api_token"))


def _in_header(name: str, text: str, settings: ConfigSettings) -> Auth | None:
    """The simple credential that a header with a secret in it is; None if it is none."""
    if (found := _BEARER.fullmatch(text)) and name.lower() == "authorization":
        token = setting_in(found[1], settings)
        return BearerAuth(token=token) if token else None
    if found := _BASIC.fullmatch(text.strip()):
        username, password = ("{{ " + part + " }}" if part else "" for part in found.groups())
        if _is_part(username, settings) and _is_part(password, settings):
            return basic(username, password, settings)
    return _prefixed(name, "header", text, settings)


def _prefixed(name: str, location: Any, text: str, settings: ConfigSettings) -> ApiKeyAuth | None:
    key = setting_in(text, settings)
    if key:
        return ApiKeyAuth(name=name, location=location, api_key=key)
    found = _PREFIXED.fullmatch(text)
    key = setting_in(found[2], settings) if found else None
    return ApiKeyAuth(name=name, location=location, api_key=key, prefix=found[1]) if found and key else None


def basic(username: Any, password: Any, settings: ConfigSettings) -> Auth:
    """Basic authentication, of which one part may be written out. Raises NotCarried."""
    username, password = plain_text(username, settings), plain_text(password or "", settings)
    if not (_is_part(username, settings) and _is_part(password, settings)):
        return computed_basic(username, password, settings)
    name, name_text = _part(username, settings, "username")
    secret, secret_text = _part(password, settings, "password")
    if name is not None and secret is not None and settings.is_asked_for(name) and not settings.is_asked_for(secret):
        # A password that nobody is asked for is empty.
        secret, secret_text = None, ""
    return HttpBasicAuth(
        username=name, password=secret, username_constant=name_text or "", password_constant=secret_text or ""
    )


def _is_part(given: Any, settings: ConfigSettings) -> bool:
    """Whether a part of a credential is one setting, or written out."""
    try:
        return _part(given, settings, "") is not None
    except NotCarried:
        return False


def _part(given: Any, settings: ConfigSettings, what: str) -> tuple[str | None, str | None]:
    """The setting of a part of a credential, or its text."""
    setting = setting_in(given, settings)
    if setting is not None:
        return setting, None
    if isinstance(given, str) and (not is_template(given) or given.strip().strip("{} '\"") == ""):
        return None, "" if is_template(given) else given
    raise NotCarried(f"`{what}` is computed: {shown(given)}")


def _api_key(component: Mapping[str, Any], settings: ConfigSettings) -> Auth:
    inject = component.get("inject_into")
    inject = inject if isinstance(inject, Mapping) else {"inject_into": "header", "field_name": component.get("header")}
    place, name, text = inject.get("inject_into"), inject.get("field_name"), component.get("api_token")
    if not isinstance(name, str) or not isinstance(text, str) or place not in _PREFIXES:
        raise NotCarried(f"an API key in `{place}`")
    if not is_template(text):
        raise NotCarried(f"`api_token` is not one setting: {shown(text)}")
    return request_auth({f"{_PREFIXES[place]}{name}": text}, settings)


def _session(component: Mapping[str, Any], settings: ConfigSettings, base_url: str) -> Auth:
    login = component.get("login_requester")
    login = login if isinstance(login, Mapping) else {}
    if login.get("http_method", "GET") != "POST" or not isinstance(login.get("request_body_json"), Mapping):
        raise NotCarried("a login that is no POST with JSON is not in our vocabulary")
    if login.get("request_parameters"):
        raise NotCarried("a login with a query is not in our vocabulary")
    secrets: dict[str, str] = {}
    constants: dict[str, str | int | bool] = {}
    for name, given in login["request_body_json"].items():
        setting = setting_in(given, settings)
        if setting:
            secrets[name] = setting
        elif isinstance(given, str | int | bool) and not is_template(given):
            constants[name] = given
        else:
            raise NotCarried(f"`{name}` of the login is computed")
    path = component.get("session_token_path")
    if not isinstance(path, list) or not all(isinstance(part, str) and "." not in part for part in path):
        raise NotCarried("`session_token_path` is no path")
    request = component.get("request_authentication")
    request = request if isinstance(request, Mapping) else {}
    header = None
    if request.get("type") == "ApiKey":
        inject = request.get("inject_into")
        inject = inject if isinstance(inject, Mapping) else {}
        if inject.get("inject_into") != "header" or request.get("api_token"):
            raise NotCarried("a session's token elsewhere than alone in a header is not in our vocabulary")
        header = str(inject.get("field_name"))
    return SessionToken(
        login_path=_login_path(login, settings, base_url),
        login_json=secrets,
        login_constants=constants,
        login_headers=_login_headers(login, settings, base_url),
        token_path=".".join(path),
        header=header,
        expires=iso_duration(component.get("expiration_duration")) or timedelta(hours=1),
    )


def _login_path(login: Mapping[str, Any], settings: ConfigSettings, base_url: str) -> str | Template:
    parts = [login.get("url_base") or login.get("url"), login.get("path")]
    written = "/".join(str(part).strip().strip("/") for part in parts if part)
    return token_address(written, settings, base_url, "login_requester")


def _login_headers(login: Mapping[str, Any], settings: ConfigSettings, base_url: str) -> dict[str, str | Template]:
    """Headers of a login, with the credential that it has itself."""
    headers = values_of(login, "request_headers", settings)
    own = convert_auth(login.get("authenticator"), settings, base_url)
    if isinstance(own, NoAuth):
        return headers
    sent = as_templates(own)
    if sent.params or sent.json or sent.data:
        raise NotCarried("a login whose own credential is not in a header is not in our vocabulary")
    return {**headers, **sent.headers}


def _legacy_session(component: Mapping[str, Any], settings: ConfigSettings) -> Auth:
    """A login by user and password on the API's own server; a session token that a user may have is not used."""
    login, key, header = (component.get(name) for name in ("login_url", "session_token_response_key", "header"))
    if not all(isinstance(one, str) and one and not is_template(one) for one in (login, key, header)):
        raise NotCarried("a login whose address, header or token's name is computed is not in our vocabulary")
    return SessionToken(
        login_path="/" + str(login).strip("/"),
        login_json={name: setting_of(component.get(name), settings, name) for name in ("username", "password")},
        token_path=str(key),
        header=str(header),
    )
