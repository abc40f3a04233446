"""Tokens of a session, which a login with the secrets answers with (Metabase)."""

from collections.abc import Mapping

from platform_assets.declarations import SessionToken
from platform_assets.http.oauth import Bought, Buy, Post, json_object, read_answer, refusal
from platform_assets.http.selection import get_path


def login(platform: str, auth: SessionToken, url: str, secrets: Mapping[str, str], post: Post) -> Buy:
    """Logs in for each token.

    Args:
        platform: its name, for messages.
        url: where it is.
        post: sends JSON.
    """
    fields = {**auth.login_constants, **{name: secrets[secret] for name, secret in auth.login_json.items()}}

    def buy(_: str) -> Bought:
        with post(url, fields) as response:
            content = read_answer(response)
        token = get_path(json_object(content), auth.token_path)
        if response.status_code not in (200, 201) or not isinstance(token, str) or not token:
            path = auth.login_path
            asked = path if isinstance(path, str) and path.startswith("/") else "the login"
            problem = f"{platform}: POST {asked}: answered {response.status_code} without `{auth.token_path}`"
            names = ", ".join(f"`{name}`" for name in auth.secrets)
            raise refusal(problem, f"check {names}", response, content)
        return Bought(token, auth.expires.total_seconds())

    return buy
