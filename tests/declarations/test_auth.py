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
    validate,
)

WRONG: dict[str, tuple[Auth, str]] = {
    "a relative path": (OAuth2ClientCredentials(access_token_url="token"), "must start with `/`"),
    "plain http": (OAuth2RefreshToken(access_token_url="http://login.example.com/token"), "a whole https URL"),
    "a user in the URL": (OAuth2RefreshToken(access_token_url="https://me:x@login.example.com/"), "no user"),
    "no life": (OAuth2RefreshToken(access_token_url="/t", default_token_expiration=0), "at least 1 second"),
    "no name": (ApiKeyAuth(name="", location="cookie"), "`name` of the cookie is empty"),
    "no cookie": (ApiKeyAuth(name="a=b", location="cookie"), "cannot be a cookie's name"),
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
