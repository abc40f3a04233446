"""Where a redirect of a list's page may lead: it stays on the origin, and keeps all parameters."""

from urllib.parse import parse_qs, urljoin, urlsplit

import requests

from platform_assets.http.errors import AnswerError, RequestFailed
from platform_assets.http.messages import Messages
from platform_assets.http.outgoing import Outgoing
from platform_assets.http.urls import ParamValue, origin


def redirect_target(response: requests.Response, url: str, outgoing: Outgoing, messages: Messages) -> str:
    """The URL that a redirect leads to.

    Args:
        response: the redirect.
        url: what was asked for.
        outgoing: the request.
        messages: makes the texts of errors.

    Raises:
        RequestFailed: it is on another origin.
        AnswerError: it has not all parameters with their values.
    """
    name, params = outgoing.name, outgoing.params
    if outgoing.link is not None:
        params = {one: tuple(values) for one, values in _query(outgoing.link).items()}
    location = response.headers.get("Location", "")
    try:
        target = urljoin(url, location)
        target_origin = origin(target)
    except ValueError:
        target, target_origin = "", "not a URL"
    if target_origin != origin(url):
        problem = f"redirects to another origin ({target_origin}), which is refused"
        raise RequestFailed(messages.about(name, problem), status=response.status_code)
    kept = _query(target)
    changed = [one for one, value in params.items() if kept.get(one) != _sent(value)]
    if changed:
        problem = f"redirects without the parameters `{'`, `'.join(changed)}` as they were sent"
        raise AnswerError(messages.about(name, problem))
    return target


def _query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


def _sent(value: ParamValue) -> list[str]:
    """The values that a parameter is sent with."""
    return list(value) if isinstance(value, tuple) else [str(value)]
