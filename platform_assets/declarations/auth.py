"""How a credential is sent. A declaration has the names of secrets; their values are settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from platform_assets.declarations.places import in_body, in_header
from platform_assets.declarations.settings_named import optional_settings, settings_named
from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template

# Marks templates whose settings are secrets, and are not among those that requests are filled with.
_OF_SECRETS = {"secret": True}


@strict
@dataclass(frozen=True, kw_only=True)
class NoAuth:
    """No credential: a public API."""

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()


@strict
@dataclass(frozen=True, kw_only=True)
class BearerAuth:
    """`Authorization: Bearer <token>`; the token is the secret named `token`."""

    token: str = "api_token"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@strict
@dataclass(frozen=True, kw_only=True)
class ApiKeyAuth:
    """The secret named `api_key`, sent as the query parameter, header or cookie called `name`.

    Args:
        prefix: stands before the secret, as `Token `; not in a cookie.
    """

    name: str
    location: Literal["query", "header", "cookie"] = "query"
    api_key: str = "api_token"
    prefix: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.api_key,)


@strict
@dataclass(frozen=True, kw_only=True)
class HttpBasicAuth:
    """`Authorization: Basic ...`, of the secrets named `username` and `password`.

    Args:
        username, password: names of secrets; None for one that is the same for everybody (an API key with the
            password `x`, or with none).
        username_constant, password_constant: what is sent then.
    """

    username: str | None = "username"
    password: str | None = "password"
    username_constant: str = ""
    password_constant: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(name for name in (self.username, self.password) if name is not None)


@strict
@dataclass(frozen=True, kw_only=True)
class TemplateAuth:
    """Several credentials in each request, or one in a form of its own: `Token token={{ config.api_token }}`.

    Every setting that a template names is a secret. Templates have nothing but `config`, and are filled once, when a
    client connects; one that comes to nothing is an error.

    Args:
        headers, params: headers and query parameters, by name.
        json: fields of a JSON body, by dotted path, in every POST and every other request with a JSON body.
        data: fields of a form, in every request with one, and in a POST without a body.
    """

    headers: Mapping[str, Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    params: Mapping[str, Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    json: Mapping[str, Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    data: Mapping[str, Template] = field(default_factory=dict, metadata=_OF_SECRETS)

    @property
    def templates(self) -> dict[str, Template]:
        """What is sent, by its place in the request (places.py)."""
        headers = {in_header(name): template for name, template in self.headers.items()}
        body = {in_body(path): template for path, template in {**self.data, **self.json}.items()}
        return {**self.params, **headers, **body}

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*settings_named(*self.templates.values()), *optional_secrets(self))


@strict
@dataclass(frozen=True, kw_only=True)
class OAuth2ClientCredentials:
    """A bearer token that the client's own id and secret buy, for an hour or so (NinjaOne). Keys are named as in dlt.

    The token is kept in memory only. It is renewed shortly before it expires, and once after a 401.

    Args:
        access_token_url: the token endpoint: a path, relative to `base_url`, or a whole `https` URL; a template has
            `config`.
        client_id, client_secret: names of the two secrets.
        access_token_request_data: further fields of the token request's form, e.g. `{"scope": "monitoring"}`. Settings
            of a template are secrets.
        access_token_request_headers: headers of the token request, which may be templates of secrets. With an
            `Authorization` among them the form has no id and secret: a client is to prove itself in one way.
        default_token_expiration: seconds that a token is good for if the answer does not say.
        client_id_name, client_secret_name: fields of the request's form.
        access_token_name, expires_in_name: fields of the answer. The latter may be seconds, or when the token expires:
            Unix time or ISO 8601.
        beside: further credentials in each request but the token's, as `TemplateAuth` has them (Amazon Ads: the
            client's id in a header).
    """

    access_token_url: str | Template
    client_id: str = "client_id"
    client_secret: str = "client_secret"
    access_token_request_data: Mapping[str, str | Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    access_token_request_headers: Mapping[str, str | Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    default_token_expiration: int = 3600
    client_id_name: str = "client_id"
    client_secret_name: str = "client_secret"
    access_token_name: str = "access_token"
    expires_in_name: str = "expires_in"
    beside: TemplateAuth | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        return _with_templates((self.client_id, self.client_secret), self)


@strict
@dataclass(frozen=True, kw_only=True)
class OAuth2RefreshToken:
    """A bearer token that a user's refresh token buys, for an hour or so.

    A server may answer with another refresh token, often making the last one useless. Such a token is kept in a file
    that only this user can read, `refresh_tokens/` in Dagster's home, and shared by all processes of the machine; a
    new value of the setting replaces it. A server that keeps the refresh token as it is leaves nothing on disk.

    Args:
        access_token_url: the token endpoint: a path, relative to `base_url`, or a whole `https` URL; a template has
            `config`.
        client_id, client_secret, refresh_token: names of the secrets; `client_secret=None` for a client without one.
        access_token_request_data: further fields of the token request's form, e.g. `{"scope": "read"}`. Settings of a
            template are secrets.
        access_token_request_headers: headers of the token request, which may be templates of secrets. With an
            `Authorization` among them the form has no id and secret: a client is to prove itself in one way.
        default_token_expiration: seconds that a token is good for if the answer does not say.
        client_id_name, client_secret_name, refresh_token_name: fields of the request's form.
        access_token_name, expires_in_name: fields of the answer. The latter may be seconds, or when the token expires:
            Unix time or ISO 8601.
        beside: further credentials in each request but the token's, as `TemplateAuth` has them (Amazon Ads: the
            client's id in a header).
    """

    access_token_url: str | Template
    client_id: str = "client_id"
    client_secret: str | None = "client_secret"
    refresh_token: str = "refresh_token"
    access_token_request_data: Mapping[str, str | Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    access_token_request_headers: Mapping[str, str | Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    default_token_expiration: int = 3600
    client_id_name: str = "client_id"
    client_secret_name: str = "client_secret"
    refresh_token_name: str = "refresh_token"
    access_token_name: str = "access_token"
    expires_in_name: str = "expires_in"
    beside: TemplateAuth | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        named = (self.client_id, self.client_secret, self.refresh_token)
        return _with_templates(tuple(name for name in named if name is not None), self)


@strict
@dataclass(frozen=True, kw_only=True)
class SessionToken:
    """A token that a login answers with (Metabase: `POST /api/session`). Renewed when it expires, and once after a 401.

    Args:
        login_path: path of the login, relative to `base_url`, or a whole `https` URL; a template has `config`. It is
            sent a POST with JSON.
        login_json: field of that JSON -> name of the secret that fills it.
        login_constants: further fields of it, with their values.
        login_headers: headers of the login, which may be templates of secrets.
        token_path: dotted path to the token in the answer.
        header: the header that carries the token; None sends `Authorization: Bearer <token>`.
        expires: how long a token is good for.
        beside: further credentials in each request but the login, as `TemplateAuth` has them.
    """

    login_path: str | Template
    login_json: Mapping[str, str]
    login_constants: Mapping[str, str | int | bool] = field(default_factory=dict)
    login_headers: Mapping[str, str | Template] = field(default_factory=dict, metadata=_OF_SECRETS)
    token_path: str
    header: str | None = None
    expires: timedelta = timedelta(hours=1)
    beside: TemplateAuth | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        sent = (*self.login_headers.values(), *templates_of(self).values())
        return tuple(dict.fromkeys((*self.login_json.values(), *settings_named(*sent), *optional_settings(*sent))))


Auth = (
    BearerAuth
    | ApiKeyAuth
    | HttpBasicAuth
    | TemplateAuth
    | OAuth2ClientCredentials
    | OAuth2RefreshToken
    | SessionToken
    | NoAuth
)


def secrets_of(auths: Iterable[Auth]) -> dict[str, bool]:
    """Each secret of some credentials -> whether all of them can do without it."""
    found: dict[str, bool] = {}
    for auth in auths:
        optional = optional_secrets(auth)
        for name in auth.secrets:
            found[name] = name in optional and found.get(name, True)
    return found


def optional_secrets(auth: Auth) -> tuple[str, ...]:
    """The secrets that a credential can do without, as one of two that a template chooses from."""
    if isinstance(auth, TemplateAuth):
        return optional_settings(*auth.templates.values())
    if isinstance(auth, SessionToken):
        own, sent = tuple(auth.login_json.values()), (*auth.login_headers.values(), *templates_of(auth).values())
    elif isinstance(auth, OAuth2ClientCredentials | OAuth2RefreshToken):
        own, sent = (auth.client_id, auth.client_secret, getattr(auth, "refresh_token", None)), _sent(auth)
    else:
        return ()
    return tuple(name for name in optional_settings(*sent) if name not in own)


def templates_of(auth: Auth) -> Mapping[str, Template]:
    """The templates of secrets that are sent with each request, by their place in it (places.py)."""
    found = auth if isinstance(auth, TemplateAuth) else getattr(auth, "beside", None)
    return {} if found is None else found.templates


def client_is_in_header(auth: OAuth2ClientCredentials | OAuth2RefreshToken) -> bool:
    """Whether the client proves itself in a header of the token request, so not in its form."""
    return any(name.lower() == "authorization" for name in auth.access_token_request_headers)


def _sent(auth: OAuth2ClientCredentials | OAuth2RefreshToken) -> tuple[str | Template, ...]:
    asked = (*auth.access_token_request_data.values(), *auth.access_token_request_headers.values())
    return (*asked, *templates_of(auth).values())


def _with_templates(named: tuple[str, ...], auth: OAuth2ClientCredentials | OAuth2RefreshToken) -> tuple[str, ...]:
    """The secrets of a token and what is beside it, each once: those with a key of their own, and of templates."""
    return tuple(dict.fromkeys((*named, *settings_named(*_sent(auth)), *optional_settings(*_sent(auth)))))
