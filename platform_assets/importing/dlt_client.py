"""dlt's `client`: where an API is, and how the credential is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Configured,
    HttpBasicAuth,
    NoAuth,
    OAuth2ClientCredentials,
)
from platform_assets.declarations.auth_problems import auth_problems
from platform_assets.http.urls import below
from platform_assets.importing.findings import Findings
from platform_assets.importing.names import snake_case
from platform_assets.importing.values import Called, Joined, Setting, unreadable_parts, without_unreadable

# dlt's classes by the words for them, with their positional arguments.
_CLASSES = {
    "BearerTokenAuth": ("bearer", ("token",)),
    "APIKeyAuth": ("api_key", ("name", "api_key", "location")),
    "HttpBasicAuth": ("http_basic", ("username", "password")),
    "OAuth2ClientCredentials": (
        "oauth2_client_credentials",
        ("access_token_url", "client_id", "client_secret", "access_token_request_data", "default_token_expiration"),
    ),
}
_KEYS = {
    "bearer": ("token",),
    "api_key": ("name", "api_key", "location"),
    "http_basic": ("username", "password"),
    "oauth2_client_credentials": (
        "access_token_url",
        "client_id",
        "client_secret",
        "access_token_request_data",
        "default_token_expiration",
        "access_token",
        "session",
    ),
}
_CLIENT_KEYS = ("base_url", "headers", "auth", "paginator", "session")
# Of names that RFC 2606 keeps for examples.
_PLACEHOLDER_ENDS = ("example", "test", "invalid")
_PLACEHOLDER_HOSTS = ("example.com", "example.org", "example.net")
_SCHEME = re.compile(r"(bearer|token)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class ReadClient:
    """What all endpoints share.

    Attributes:
        base_url: None if the configuration takes it from outside.
        auth: how the credential is sent; None if nothing says that there is one.
        headers: sent with every request.
    """

    base_url: str | None
    auth: Auth | None
    headers: Mapping[str, str | Configured]


def read_client(client: Any, findings: Findings) -> ReadClient:
    """The configuration's `client`."""
    given: Mapping[str, Any] = client if isinstance(client, Mapping) else {}
    for path, unreadable in unreadable_parts(given):
        findings.not_carried(None, f"client.{path}", str(unreadable))
    given = without_unreadable(given)
    for key in given:
        if key not in (*_CLIENT_KEYS, "error_handler"):
            findings.not_carried(None, f"client.{key}", "dlt's `client` has no such key")
    if given.get("session") is not None:
        findings.not_carried(None, "client.session", "requests are sent by a session of our own")
    auth = read_auth(given.get("auth"), "client.auth", None, findings)
    headers: dict[str, str | Configured] = {}
    for name, value in _headers(given.get("headers")).items():
        if isinstance(value, Setting) and value.name and not value.secret:
            headers[name] = Configured(setting_name(value.name))
        elif isinstance(value, Setting | Joined) or name.lower() == "authorization":
            auth = _auth_of_header(name, value, auth, findings)
        elif isinstance(value, str | int):
            headers[name] = str(value)
    return ReadClient(_base_url(given.get("base_url"), findings), auth, headers)


def _headers(headers: Any) -> Mapping[str, Any]:
    return headers if isinstance(headers, Mapping) else {}


def host_of(url: str) -> str:
    """The host of an address with its port; empty for one without, or with one that cannot be read."""
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        return parts.netloc if parts.port is None or parts.hostname else ""
    except ValueError:
        return ""


def _base_url(written: Any, findings: Findings) -> str | None:
    if not isinstance(written, str) or not host_of(written):
        why = "the configuration takes it from outside" if isinstance(written, Setting | Joined) else "there is none"
        findings.assumed(None, "client.base_url", f"{why}: set it as the setting `base_url`")
        return None
    parts = urlsplit(written)
    if parts.username or parts.password or parts.query or parts.fragment:
        findings.not_carried(None, "client.base_url", "its user, query or fragment: a base URL has none")
    host = parts.hostname or ""
    if host.rpartition(".")[2] in _PLACEHOLDER_ENDS or host.endswith(_PLACEHOLDER_HOSTS):
        findings.assumed(None, "client.base_url", f"`{host}` is a placeholder: set the setting `base_url`")
        return None
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}".rstrip("/")


def read_auth(written: Any, what: str, resource: str | None, findings: Findings) -> Auth | None:
    """A credential as written; None if there is none or it cannot be carried, which is a finding."""
    if written is None:
        return None
    if isinstance(written, str):
        written = {"type": written}
    if isinstance(written, Called) and written.name in _CLASSES:
        word, positions = _CLASSES[written.name]
        written = {"type": word, **dict(zip(positions, written.args, strict=False)), **written.kwargs}
    if not isinstance(written, Mapping):
        findings.not_carried(resource, what, "is none of dlt's ways to authenticate")
        return None
    kind = str(written.get("type") or "bearer")
    if kind not in _KEYS:
        findings.not_carried(resource, what, f"`{kind}` is none of dlt's ways to authenticate")
        return None
    for key in written:
        if key != "type" and key not in _KEYS[kind]:
            findings.not_carried(resource, f"{what}.{key}", f"dlt's `{kind}` has no such key")

    def secret(key: str, fallback: str) -> str:
        fallback = fallback if resource is None else f"{resource}_{fallback}"
        return _secret(written.get(key), f"{what}.{key}", fallback, resource, findings)

    if kind == "bearer":
        return BearerAuth(token=secret("token", "api_token"))
    if kind == "http_basic":
        return HttpBasicAuth(username=secret("username", "username"), password=secret("password", "password"))
    if kind == "api_key":
        return _api_key(written, secret("api_key", "api_key"), what, resource, findings)
    return _client_credentials(
        written, secret("client_id", "client_id"), secret("client_secret", "client_secret"), what, findings
    )


def _api_key(
    written: Mapping[str, Any], setting: str, what: str, resource: str | None, findings: Findings
) -> ApiKeyAuth | None:
    name = written.get("name")
    location = {"param": "query", None: "header"}.get(written.get("location"), written.get("location"))
    if not isinstance(name, str) or not name:
        name = "Authorization"
        findings.assumed(resource, f"{what}.name", "nothing names the header; dlt sends `Authorization`")
    if location == "query":
        findings.suspected(
            resource,
            f"{what}.location",
            f"the credential is in the query string (`{name}`), which proxies and servers write to their logs;"
            " use a header if the API takes one",
        )
    elif location not in ("header", "cookie"):
        findings.not_carried(resource, f"{what}.location", f"`{location}` is no place of a credential")
        return None
    return ApiKeyAuth(name=name, location=location, api_key=setting)


def _client_credentials(
    written: Mapping[str, Any], client_id: str, client_secret: str, what: str, findings: Findings
) -> OAuth2ClientCredentials | None:
    url = written.get("access_token_url")
    if not isinstance(url, str) or not (url.startswith("/") or host_of(url)):
        findings.not_carried(None, f"{what}.access_token_url", "is no address")
        return None
    data = written.get("access_token_request_data")
    extra = (
        {str(key): str(value) for key, value in data.items() if isinstance(value, str | int)}
        if isinstance(data, Mapping)
        else {}
    )
    extra.pop("grant_type", None)
    expiration = written.get("default_token_expiration")
    return OAuth2ClientCredentials(
        access_token_url=url,
        client_id=client_id,
        client_secret=client_secret,
        access_token_request_data=extra,
        default_token_expiration=expiration if type(expiration) is int else 3600,
    )


def at_base_url(auth: Auth | None, base_url: str | None, findings: Findings) -> Auth:
    """The credential, with the token's address relative to the base URL where it is below that; NoAuth without one."""
    if isinstance(auth, OAuth2ClientCredentials) and isinstance(auth.access_token_url, str):
        auth = replace(auth, access_token_url=below(auth.access_token_url, base_url))
    for problem in auth_problems(auth) if auth is not None else ():
        findings.not_carried(None, "client.auth", problem)
        return NoAuth()
    return auth or NoAuth()


def _secret(written: Any, what: str, fallback: str, resource: str | None, findings: Findings) -> str:
    """The name of the setting that a part of the credential is; a value that stands in the file is not carried."""
    if isinstance(written, Setting):
        return setting_name(written.name) or fallback
    if isinstance(written, Joined):
        settings = [part for part in written.parts if isinstance(part, Setting)]
        findings.mended(resource, what, "is put together in the file: put the whole text into the setting")
        return setting_name(settings[0].name) or fallback
    if isinstance(written, str) and written:
        findings.mended(
            resource, what, f"stands in the file in clear: it is not written, set it as the setting `{fallback}`"
        )
    else:
        findings.assumed(resource, what, f"is not in the file: set it as the setting `{fallback}`")
    return fallback


def setting_name(name: str) -> str:
    """A setting's name as ours are written."""
    return snake_case(name)


def _auth_of_header(name: str, value: Any, auth: Auth | None, findings: Findings) -> Auth | None:
    """A credential in a header as a credential."""
    what = f"client.headers.{name}"
    if auth is not None:
        findings.not_carried(None, what, "a second credential beside `auth`")
        return auth
    first = value.parts[0] if isinstance(value, Joined) else value
    scheme = _SCHEME.match(first) if isinstance(first, str) else None
    settings = [part for part in (value.parts if isinstance(value, Joined) else (value,)) if isinstance(part, Setting)]
    setting = (setting_name(settings[0].name) if settings else "") or "api_token"
    if not settings:
        findings.mended(None, what, f"the credential stands in the file in clear: set it as the setting `{setting}`")
    if name.lower() == "authorization" and scheme and scheme[1].lower() == "bearer":
        findings.mended(None, what, f"a bearer token in a header: the setting `{setting}` is sent so")
        return BearerAuth(token=setting)
    whole = "" if isinstance(value, Setting) else ", with what stands before it"
    findings.mended(None, what, f"a credential in a header: the setting `{setting}` is sent so{whole}")
    return ApiKeyAuth(name=name, location="header", api_key=setting)


# Names of query parameters that are credentials.
_CREDENTIALS = re.compile(r"api_?key|apikey|(?:access_?|api_?|auth_?)?token|app_?key|secret|appid", re.IGNORECASE)


def credential_param(params: Mapping[str, Any], auth: Auth | None, findings: Findings) -> ApiKeyAuth | None:
    """The credential among query parameters; None if there is none, or the client has one already.

    Args:
        params: those that every resource has, as written.
    """
    for name, value in params.items():
        if not (isinstance(value, Setting) and value.secret) and not (
            isinstance(value, str) and value and _CREDENTIALS.fullmatch(name)
        ):
            continue
        if auth is not None:
            continue
        setting = _secret(value, f"params.{name}", snake_case(name), None, findings)
        findings.suspected(
            None,
            f"params.{name}",
            f"the credential is in the query string (`{name}`), which proxies and servers write to their logs;"
            " use a header if the API takes one",
        )
        return ApiKeyAuth(name=name, location="query", api_key=setting)
    return None


def is_credential(name: str, value: Any) -> bool:
    """Whether a query parameter is a credential, which no file may hold."""
    return (isinstance(value, Setting) and value.secret) or (
        isinstance(value, str) and "{" not in value and _CREDENTIALS.fullmatch(name) is not None
    )
