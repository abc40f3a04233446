"""Credentials that no simpler class has: several in one request, or computed. They become a `TemplateAuth`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    HttpBasicAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    SessionToken,
    Template,
    TemplateAuth,
)
from platform_assets.declarations.auth_problems import auth_problems, settings_problem
from platform_assets.declarations.places import BODY, HEADER
from platform_assets.importing.manifest.computing import written
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import NotCarried, is_template, setting_in

# Before the name of a form's field, where BODY is a path of JSON.
FORM = "form:"
_AUTHORIZATION = f"{HEADER}Authorization"
_BOUGHT = (OAuth2ClientCredentials, OAuth2RefreshToken, SessionToken)

_GET = re.compile(r"\bconfig\.get\(\s*(['\"]\w+['\"])\s*\)")
_SAME = re.compile(r"(\bconfig\[['\"]\w+['\"]\]) or \1(?![\w.\[(])")
# `A if the group of A is there else B`, as settings.flattened writes it: A is in the group that is asked for.
_IF_THERE = re.compile(
    r"(config\.get\('\w+'\)) if \((?:(?: or )?config\.get\('\w+'\))+\)"
    r" else (config(?:\.get\('\w+'\)|\['\w+'\]))(?=\s*\}\})"
)
_CHOOSES = re.compile(r"\b(or|and|not|if|is|in|default|d)\b|\{%")
_INSIDE = re.compile(r"\bconfig(?:\[['\"]\w+['\"]\]|\.get\([^()]*\))\s*\[")
_OUTPUT = re.compile(r"\{\{((?:(?!\}\}|\{\{).)*)\}\}", re.DOTALL)


def plain_text(given: Any, settings: ConfigSettings) -> Any:
    """A template of a credential whose settings have flat names, and are needed unless it chooses among several."""
    if not is_template(given):
        return given
    text = _IF_THERE.sub(r"\1 or \2", settings.flattened(given).strip())
    needed = _SAME.sub(r"\1", _GET.sub(r"config[\1]", text))
    return text if _CHOOSES.search(re.sub(r"(['\"]).*?\1", "", needed)) else needed


def template_of(text: Any, settings: ConfigSettings, what: str) -> Template:
    """The template of a credential. Raises NotCarried.

    Args:
        what: where it stands, for messages.
    """
    if not is_template(text):
        # A credential that is written out is not repeated.
        raise NotCarried(f"`{what}` is not one setting: it is written out")
    found = Template(plain_text(text, settings))
    problem = settings_problem(found)
    if problem is not None:
        raise NotCarried(f"`{what}` has a credential in it that cannot be sent so: {problem}")
    if _INSIDE.search(found.text):
        raise NotCarried(f"`{what}` is not one setting: a credential inside a list is not in our vocabulary")
    if not (found.configured or found.optional):
        raise NotCarried(f"`{what}` names no setting")
    return found


def template_auth(place: str, template: Template) -> TemplateAuth:
    """One credential at its place of a request (declarations/places.py)."""
    if place.startswith(HEADER):
        return TemplateAuth(headers={place.removeprefix(HEADER): template})
    if place.startswith(FORM):
        return TemplateAuth(data={place.removeprefix(FORM): template})
    if place.startswith(BODY):
        return TemplateAuth(json={place.removeprefix(BODY): template})
    return TemplateAuth(params={place: template})


def computed_basic(username: Any, password: Any, settings: ConfigSettings) -> TemplateAuth:
    """Basic authentication of a user or a password that is computed. Raises NotCarried."""
    user, secret = (_expression(one, settings) for one in (username, password))
    return template_auth(_AUTHORIZATION, template_of(_basic(user, secret), settings, "username"))


def _basic(user: str, secret: str) -> str:
    """The header's template of two expressions."""
    return "Basic {{ (" + user + " ~ ':' ~ " + secret + ") | base64encode }}"


def _expression(given: Any, settings: ConfigSettings) -> str:
    """A text as one expression: `{{ config.a }}/b` -> `(config.a) ~ '/b'`."""
    text = plain_text(given, settings)
    if not isinstance(text, str) or "{%" in text:
        raise NotCarried("a part of the credential is no text")
    found: list[str] = []
    at = 0
    for output in _OUTPUT.finditer(text):
        found += [written(text[at : output.start()])] if output.start() > at else []
        found.append(f"({output[1].strip()})")
        at = output.end()
    return " ~ ".join([*found, written(text[at:])] if text[at:] or not found else found)


def together(auths: Iterable[Auth]) -> Auth:
    """Credentials that are sent with the same request, the first of those in one place. Raises NotCarried."""
    kept = [one for one in auths if not isinstance(one, NoAuth)]
    if len(kept) < 2:
        return kept[0] if kept else NoAuth()
    bought = [one for one in kept if isinstance(one, _BOUGHT)]
    if bought:
        return _with_beside(bought, [one for one in kept if not isinstance(one, _BOUGHT)])
    return _templates([as_templates(one) for one in kept])


def _with_beside(bought: Sequence[Any], others: Sequence[Auth]) -> Auth:
    if len(bought) > 1:
        raise NotCarried("two tokens that are bought, for one request, are not in our vocabulary")
    beside = _templates([as_templates(one) for one in others])
    with_it = replace(bought[0], beside=beside)
    # What has the token's place is not sent.
    if problem := next(iter(auth_problems(with_it)), None):
        raise NotCarried(f"a credential beside a token that is bought: {problem}")
    return with_it


def _templates(parts: Sequence[TemplateAuth]) -> TemplateAuth:
    """All of them, the first of those in one place."""
    found: dict[str, Mapping[str, Template]] = {}
    for key in ("headers", "params", "json", "data"):
        found[key] = {name: one for part in reversed(parts) for name, one in getattr(part, key).items()}
    return TemplateAuth(**found)


def as_templates(auth: Auth) -> TemplateAuth:
    """A credential that is sent as it is. Raises NotCarried for another."""
    if isinstance(auth, TemplateAuth):
        return auth
    if isinstance(auth, BearerAuth):
        return template_auth(_AUTHORIZATION, Template("Bearer " + _named(auth.token)))
    if isinstance(auth, ApiKeyAuth):
        place = f"{HEADER}{auth.name}" if auth.location == "header" else auth.name
        return template_auth(place, Template(auth.prefix + _named(auth.api_key)))
    if isinstance(auth, HttpBasicAuth):
        user = written(auth.username_constant) if auth.username is None else f"config[{written(auth.username)}]"
        secret = written(auth.password_constant) if auth.password is None else f"config[{written(auth.password)}]"
        return template_auth(_AUTHORIZATION, Template(_basic(user, secret)))
    raise NotCarried(f"`{type(auth).__name__}` beside another credential is not in our vocabulary")


def _named(setting: str) -> str:
    return "{{ config[" + written(setting) + "] }}"


def setting_of(given: Any, settings: ConfigSettings, what: str) -> str:
    """The setting that a credential is. Raises NotCarried for one that is computed or written out."""
    found = setting_in(plain_text(given, settings), settings)
    if found is None:
        raise NotCarried(f"`{what}` is not one setting: {shown(given)}")
    return found


def shown(text: Any) -> str:
    """A credential's text for messages; not one that is written out."""
    return f"`{' '.join(text.split())[:80]}`" if is_template(text) else "it is written out"
