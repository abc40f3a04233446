"""A credential that cannot be sent as it is declared is refused when the definitions load."""

from datetime import timedelta

import pytest

from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    Client,
    DeclarationError,
    Endpoint,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Platform,
    Resource,
    SessionToken,
    SinglePage,
    Template,
    TemplateAuth,
    optional_secrets,
    validate,
)

WRONG: dict[str, tuple[Auth, str]] = {
    "a relative path": (OAuth2ClientCredentials(access_token_url="token"), "must start with `/`"),
    "plain http": (OAuth2RefreshToken(access_token_url="http://login.example.com/token"), "a whole https URL"),
    "a user in the URL": (OAuth2RefreshToken(access_token_url="https://me:x@login.example.com/"), "no user"),
    "no life": (OAuth2RefreshToken(access_token_url="/t", default_token_expiration=0), "at least 1 second"),
    "no name": (ApiKeyAuth(name="", location="cookie"), "`name` of the cookie is empty"),
    "no cookie": (ApiKeyAuth(name="a=b", location="cookie"), "cannot be a cookie's name"),
    "a template without anything": (TemplateAuth(), "nothing would be sent"),
    "a template of a record": (
        TemplateAuth(headers={"X-Key": Template("{{ record.key }}")}),
        "`header:X-Key`: `record` is not known here",
    ),
    "a template of no setting": (TemplateAuth(params={"v": Template("1")}), "names no setting"),
    "a template of our own secret": (TemplateAuth(json={"v": Template("{{ config.personal_salt }}")}), "personal_salt"),
    "a template in no header": (TemplateAuth(headers={"X Y": Template("{{ config.a }}")}), "cannot be a header's name"),
    "a template in no field": (TemplateAuth(json={"a.": Template("{{ config.a }}")}), "is empty"),
    "a template of no setting's name": (TemplateAuth(params={"v": Template("{{ config.Key }}")}), "names of secrets"),
    "a token endpoint with a secret": (
        OAuth2ClientCredentials(access_token_url=Template("https://x.dev/{{ config.client_secret }}")),
        "`config.client_secret` is a credential",
    ),
    "a token request of a record": (
        OAuth2ClientCredentials(access_token_url="/t", access_token_request_data={"a": Template("{{ record.a }}")}),
        "`access_token_request_data`: `a`: `record`",
    ),
    "a token request's header": (
        OAuth2ClientCredentials(access_token_url="/t", access_token_request_headers={"a b": "c"}),
        "cannot be a header's name",
    ),
    "no login": (SessionToken(login_path="/l", login_json={}, token_path="id"), "`login_json` is empty"),
    "a login elsewhere": (SessionToken(login_path="l", login_json={"u": "u"}, token_path="id"), "`login_path`"),
    "twice": (
        SessionToken(login_path="/l", login_json={"u": "u"}, login_constants={"u": 1}, token_path="id"),
        "only one of them",
    ),
    "no token": (SessionToken(login_path="/l", login_json={"u": "u"}, token_path=""), "`token_path` is empty"),
    "no header": (
        SessionToken(login_path="/l", login_json={"u": "u"}, token_path="id", header="X Y"),
        "cannot be a header's name",
    ),
    "no time": (
        SessionToken(login_path="/l", login_json={"u": "u"}, token_path="id", expires=timedelta(0)),
        "`expires` must be positive",
    ),
    "a value for a name": (ApiKeyAuth(name="key", api_key="s3cr3t-Value"), "names of secrets"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_credential_that_cannot_be_sent_is_refused(case: str) -> None:
    auth, message = WRONG[case]
    things = Resource(name="things", description="", endpoint=Endpoint(path="/things"), columns={"id": "text"})
    client = Client(auth=auth, probe="/things", paginator=SinglePage())
    with pytest.raises(DeclarationError, match="auth") as caught:
        validate([Platform(name="shop", title="", description="", client=client, resources=(things,))])
    assert message in str(caught.value) and "s3cr3t" not in str(caught.value)


def test_settings_of_a_credential_are_secrets_and_fill_nothing_else() -> None:
    auth = TemplateAuth(
        headers={
            "X-Key": Template("{{ config.key }}"),
            "X-Token": Template("{{ config.get('new') or config['old'] }}"),
        },
        params={"key": Template("{{ config.key }}")},
    )
    assert auth.secrets == ("key", "new", "old")
    assert optional_secrets(auth) == ("new", "old")

    def declared(**params: Template) -> Platform:
        endpoint = Endpoint(path="/things", params=dict(params))
        things = Resource(name="things", description="", endpoint=endpoint, columns={"id": "text"})
        client = Client(auth=auth, probe="/things", paginator=SinglePage())
        return Platform(name="shop", title="", description="", client=client, resources=(things,))

    assert declared().configured_of("reference") == declared().optional_of("reference") == ()
    with pytest.raises(DeclarationError, match=r"`config\.key` is a credential"):
        validate([declared(q=Template("{{ config.key }}"))])
    with pytest.raises(DeclarationError, match="`key` has two meanings"):
        validate([declared(key=Template("{{ config.other }}"))])
