"""Checks of how a credential is declared."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from platform_assets.declarations.auth import (
    ApiKeyAuth,
    Auth,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    SessionToken,
    TemplateAuth,
)
from platform_assets.declarations.template import Template

# A cookie's or header's name (RFC 9110: token).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def auth_problems(auth: Auth) -> Iterator[str]:
    """What is wrong with a declared credential and how to fix it."""
    if isinstance(auth, OAuth2ClientCredentials | OAuth2RefreshToken):
        yield from _token_endpoint_problems(auth)
    if isinstance(auth, ApiKeyAuth) and not auth.name:
        yield f"`name` of the {'cookie' if auth.location == 'cookie' else 'query parameter or header'} is empty"
    elif isinstance(auth, ApiKeyAuth) and auth.location != "query" and not _TOKEN.fullmatch(auth.name):
        yield f"`name` {auth.name!r} cannot be a {auth.location}'s name"
    if isinstance(auth, TemplateAuth):
        yield from _template_problems(auth)
    if isinstance(auth, SessionToken):
        yield from _session_problems(auth)
    if isinstance(auth, OAuth2ClientCredentials | OAuth2RefreshToken | SessionToken) and auth.beside is not None:
        yield from _template_problems(auth.beside)
        header = (auth.header if isinstance(auth, SessionToken) else None) or "Authorization"
        if header.lower() in map(str.lower, auth.beside.headers):
            yield f"{header!r} of `beside` has the token already"
    if any(not re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in auth.secrets):
        yield "the names of secrets are keys of settings: small letters, digits and `_`"


def _template_problems(auth: TemplateAuth) -> Iterator[str]:
    if not auth.templates:
        yield "`headers`, `params`, `json` and `data` are empty: nothing would be sent"
    for name in auth.headers:
        if not _TOKEN.fullmatch(name):
            yield f"{name!r} of `headers` cannot be a header's name"
    if "" in (*auth.params, *auth.data) or not all(part for path in auth.json for part in path.split(".")):
        yield "a name of `params`, `json` or `data` is empty"
    for name in auth.json.keys() & auth.data.keys():
        yield f"`{name}` is in `json` and in `data`: a request has one body"
    for place, template in auth.templates.items():
        problem = settings_problem(template)
        if problem is not None:
            yield f"`{place}`: {problem}"
        elif not (template.configured or template.optional):
            yield f"`{place}`: {template.text[:60]!r} names no setting: send it among the endpoints' own values"


def is_token_endpoint(url: str) -> bool:
    """Whether a credential may be sent to a text: a path, or a whole address by https or of this machine."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return url.startswith("/") or bool(is_safe and parts.hostname)


def settings_problem(template: Template, secrets: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a template that has nothing but settings; None if nothing is."""
    # Jinja2 is imported only where a template is used.
    from platform_assets.declarations.template_problems import FUNCTIONS, SETTINGS, problem_of

    return problem_of(template, SETTINGS | FUNCTIONS, secrets)


def _token_endpoint_problems(auth: OAuth2ClientCredentials | OAuth2RefreshToken) -> Iterator[str]:
    yield from _value_problems("access_token_request_data", auth.access_token_request_data)
    yield from _value_problems("access_token_request_headers", auth.access_token_request_headers)
    if auth.default_token_expiration < 1:
        yield "`default_token_expiration` must be at least 1 second"
    yield from _address_problems("access_token_url", auth.access_token_url, auth.secrets)


def _value_problems(key: str, values: Mapping[str, str | Template]) -> Iterator[str]:
    for name, value in values.items():
        problem = settings_problem(value) if isinstance(value, Template) else None
        if problem is not None:
            yield f"`{key}`: `{name}`: {problem}"
        if key.endswith("headers") and not _TOKEN.fullmatch(name):
            yield f"{name!r} of `{key}` cannot be a header's name"


def _address_problems(key: str, url: str | Template, secrets: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with where a token is asked for."""
    if isinstance(url, Template):
        problem = settings_problem(url, secrets)
        if problem is not None:
            yield f"`{key}`: {problem}"
        return
    parts = urlsplit(url)
    if not is_token_endpoint(url):
        yield f"`{key}` {url!r} must start with `/`, or be a whole https URL"
    elif parts.username or parts.password:
        yield f"`{key}` must hold no user"


def _session_problems(auth: SessionToken) -> Iterator[str]:
    yield from _address_problems("login_path", auth.login_path, auth.secrets)
    yield from _value_problems("login_headers", auth.login_headers)
    if not auth.login_json:
        yield "`login_json` is empty: nothing would log in"
    for name in auth.login_json.keys() & auth.login_constants.keys():
        yield f"`{name}` is in `login_json` and in `login_constants`: only one of them would be sent"
    if not auth.token_path:
        yield "`token_path` is empty: where the answer has the token is not known"
    if auth.header is not None and not _TOKEN.fullmatch(auth.header):
        yield f"`header` {auth.header!r} cannot be a header's name"
    if auth.expires <= timedelta(0):
        yield "`expires` must be positive"
