"""Credentials that templates of secrets make: filled once, and put into headers, query and body of each request."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.auth import AuthBase

from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import Platform, SettingsError, Template, TemplateAuth
from platform_assets.declarations.auth_problems import is_token_endpoint
from platform_assets.declarations.template_problems import FUNCTIONS, SETTINGS
from platform_assets.http.errors import AnswerError
from platform_assets.http.outgoing import put
from platform_assets.http.redaction import Redactor
from platform_assets.http.templates import Rendered, settings_values
from platform_assets.http.urls import without_params


def filled(
    platform: Platform,
    template: Template,
    secrets: Mapping[str, str],
    on_secret: Callable[[str], None],
    place: str,
) -> Any:
    """What a template of secrets comes to.

    Args:
        on_secret: is given the text, and each word of it that the template does not have, to keep them out of messages.
        place: where it is sent, for messages.

    Raises SettingsError, naming the settings, if it comes to nothing or cannot be filled.
    """
    names = (*template.configured, *template.optional)
    what, fix = (
        f"{platform.name}: the credential in `{place}`",
        " or ".join(setting_name(platform, one) for one in names),
    )
    values = settings_values({name: (value,) for name, value in secrets.items()})
    if not any(secrets.get(name) for name in names):
        raise SettingsError(f"{what} comes to nothing that can be sent: set {fix}")
    try:
        value = Rendered(template, SETTINGS | FUNCTIONS, place).value({"config": values})
    except AnswerError as error:
        raise SettingsError(f"{what}: {Redactor(secrets.values())(str(error))}: check {fix}") from None
    if isinstance(value, Mapping | list) or str("" if value is None else value).strip() == "":
        raise SettingsError(f"{what} comes to nothing that can be sent: set {fix}")
    text = str(value)
    for part in (text, *text.split()):
        if part not in template.text:
            on_secret(part)
    return value


def filled_address(platform: Platform, template: Template, configured: Mapping[str, tuple[str, ...]]) -> str:
    """Where a token is asked for, of a template of ordinary settings. Raises SettingsError if it is no safe place."""
    try:
        value = Rendered(template, SETTINGS | FUNCTIONS, "access_token_url").value(
            {"config": settings_values(configured)}
        )
    except AnswerError as error:
        raise SettingsError(f"{platform.name}: {error}") from None
    if not isinstance(value, str) or not is_token_endpoint(value.strip()) or urlsplit(value.strip()).username:
        names = " or ".join(setting_name(platform, one) for one in (*template.configured, *template.optional))
        problem = f"comes to {str(value)[:100]!r}, which is no path and no https address: check {names}"
        raise SettingsError(f"{platform.name}: `access_token_url` {problem}")
    return value.strip()


class TemplateCredential(AuthBase):
    """Headers, query parameters and fields of a body that never change."""

    def __init__(
        self, platform: Platform, auth: TemplateAuth, secrets: Mapping[str, str], on_secret: Callable[[str], None]
    ) -> None:
        def all_of(templates: Mapping[str, Template]) -> dict[str, Any]:
            return {name: filled(platform, one, secrets, on_secret, name) for name, one in templates.items()}

        self._headers = {name: str(value).strip() for name, value in all_of(auth.headers).items()}
        self._params = {name: str(value) for name, value in all_of(auth.params).items()}
        self._json = all_of(auth.json)
        self._form = {name: str(value) for name, value in all_of(auth.data).items()}
        for name, value in self._headers.items():
            if not value.isprintable() or any(char > "\xff" for char in value):
                raise SettingsError(
                    f"{platform.name}: the credential in `{name}` has a character that no header can hold"
                )

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers.update(self._headers)
        if self._params:
            r.prepare_url(without_params(r.url or "", self._params), self._params)
        if self._json:
            self._fill_body(r)
        if self._form:
            self._fill_form(r)
        return r

    def _fill_body(self, r: requests.PreparedRequest) -> None:
        is_json = "json" in str(r.headers.get("Content-Type", ""))
        if not (is_json if r.body else r.method == "POST"):
            return
        body = json.loads(r.body) if isinstance(r.body, str | bytes) else {}
        for path, value in self._json.items():
            put(body, path, value)
        r.prepare_body(data=None, files=None, json=body)

    def _fill_form(self, r: requests.PreparedRequest) -> None:
        is_form = "x-www-form-urlencoded" in str(r.headers.get("Content-Type", ""))
        if not (is_form if r.body else r.method == "POST"):
            return
        body = r.body.decode() if isinstance(r.body, bytes) else str(r.body or "")
        others = [(name, value) for name, value in parse_qsl(body, keep_blank_values=True) if name not in self._form]
        r.prepare_body(data=[*others, *self._form.items()], files=None)
