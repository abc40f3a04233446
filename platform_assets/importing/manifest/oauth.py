"""`OAuthAuthenticator` as a token that a client's secret or a refresh token buys."""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import Auth, OAuth2ClientCredentials, OAuth2RefreshToken, Template
from platform_assets.declarations.auth_problems import is_token_endpoint, settings_problem
from platform_assets.http.urls import below
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.template_credentials import plain_text, setting_of, template_of
from platform_assets.importing.manifest.texts import NotCarried, is_template, secrets_in

_NAMES = ("client_id_name", "client_secret_name", "access_token_name", "expires_in_name")
_REFRESH_NAME = "refresh_token_name"
_ENDPOINT = "token_refresh_endpoint"
_GRANT = "grant_type"


def convert_oauth(component: Mapping[str, Any], settings: ConfigSettings, base_url: str) -> Auth:
    """Raises NotCarried."""
    if component.get("grant_type_name", _GRANT) != _GRANT:
        raise NotCarried("another name of `grant_type` is not in our vocabulary")
    if component.get("profile_assertion") or component.get("use_profile_assertion"):
        raise NotCarried("`profile_assertion` is not in our vocabulary")
    if component.get("send_refresh_request_as_query_params"):
        raise NotCarried("a token request by its query is not in our vocabulary")
    data, headers = _data(component, settings), _headers(component, settings)
    shared: dict[str, Any] = {
        "access_token_url": token_address(component.get(_ENDPOINT), settings, base_url, _ENDPOINT),
        "client_id": setting_of(component.get("client_id"), settings, "client_id"),
        "client_secret": setting_of(component.get("client_secret"), settings, "client_secret"),
        "access_token_request_data": data,
        "access_token_request_headers": headers,
        **_names(component, _NAMES),
    }
    grant = component.get(_GRANT, "refresh_token")
    if grant == "client_credentials":
        return OAuth2ClientCredentials(**shared)
    if grant != "refresh_token":
        raise NotCarried(f"the grant `{grant}` is not in our vocabulary")
    token = setting_of(component.get("refresh_token"), settings, "refresh_token")
    shared |= {"refresh_token": token, **_names(component, (_REFRESH_NAME,))}
    return OAuth2RefreshToken(**shared)


def _names(component: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, str]:
    """Names in the token request and its answer, of those that are said."""
    found = {key: component[key] for key in keys if component.get(key)}
    for key, name in found.items():
        if not isinstance(name, str) or is_template(name):
            raise NotCarried(f"`{key}` is no name that is written out")
    return found


def token_address(given: Any, settings: ConfigSettings, base_url: str, what: str) -> str | Template:
    """Where a token is asked for. Raises NotCarried.

    Args:
        what: where it is written, for messages.
    """
    if not isinstance(given, str) or not given.strip():
        raise NotCarried(f"`{what}` is no text")
    if not is_template(given):
        found = below(given, base_url)
        if not is_token_endpoint(found):
            raise NotCarried(f"`{what}` is no whole https address")
        return found
    template = Template(settings.flattened(given).strip())
    if secrets_in(template, settings):
        raise NotCarried(f"`{what}` has a credential in it")
    problem = settings_problem(template)
    if problem is not None:
        raise NotCarried(f"`{what}`: {problem}")
    return template


def _data(component: Mapping[str, Any], settings: ConfigSettings) -> dict[str, str | Template]:
    scopes = component.get("scopes")
    found: dict[str, str | Template] = {}
    if isinstance(scopes, list) and scopes:
        found["scope"] = " ".join(map(str, scopes))
    return {**found, **values_of(component, "refresh_request_body", settings)}


def _headers(component: Mapping[str, Any], settings: ConfigSettings) -> dict[str, str | Template]:
    found = values_of(component, "refresh_request_headers", settings)
    kinds = [value for name, value in found.items() if name.lower() == "content-type"]
    if any("x-www-form-urlencoded" not in str(kind) for kind in kinds):
        raise NotCarried("a token request that is no form is not in our vocabulary")
    return {name: value for name, value in found.items() if name.lower() != "content-type"}


def values_of(component: Mapping[str, Any], key: str, settings: ConfigSettings) -> dict[str, str | Template]:
    given = component.get(key) or {}
    if not isinstance(given, Mapping):
        raise NotCarried(f"`{key}` is no object")
    found: dict[str, str | Template] = {}
    for name, value in given.items():
        if isinstance(value, Mapping | list) or value is None:
            raise NotCarried(f"`{key}.{name}` is no text")
        text = plain_text(value, settings)
        found[str(name)] = template_of(text, settings, f"{key}.{name}") if is_template(text) else str(text)
    return found
