"""Requests to the sandbox's vendors, with the credential that each of them takes."""

from typing import Any

import requests

from platform_assets.sandbox import SandboxServer, ninjaone_client_id, ninjaone_client_secret

Row = dict[str, Any]
# More pages than any list of the sandbox has: a list that goes on for ever fails its test.
MOST_PAGES = 500


def credentials(server: SandboxServer, contract: str) -> dict[str, str]:
    """Headers of a request that is let in."""
    if contract == "pipedrive":
        return {"x-api-token": server.token("crm")}
    if contract == "ninjaone":
        return {"Authorization": f"Bearer {access_token(server)}"}
    platform = {"buildkite": "ci_analytics", "sentry": "error_tracking"}.get(contract, "load_testing")
    found = {"Authorization": f"Bearer {server.token(platform)}"}
    return {**found, "X-Stack-Id": "4711"} if contract == "grafana_k6" else found


def access_token(server: SandboxServer, **form: str) -> str:
    return ask_for_token(server, **form).json()["access_token"]


def ask_for_token(server: SandboxServer, **form: str) -> requests.Response:
    right = {
        "grant_type": "client_credentials",
        "client_id": ninjaone_client_id(),
        "client_secret": ninjaone_client_secret(),
        "scope": "monitoring",
    }
    return requests.post(f"{server.vendor_url('ninjaone')}/ws/oauth/token", data={**right, **form}, timeout=10)


def ask(
    server: SandboxServer,
    contract: str,
    path: str,
    params: Any = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    """A response to a GET; `headers` replaces the right credential."""
    return requests.get(
        server.vendor_url(contract) + path,
        params=params,
        headers=credentials(server, contract) if headers is None else headers,
        timeout=20,
        allow_redirects=False,
    )


def by_key(rows: list[Row], key: str = "id") -> dict[Any, Row]:
    """Rows by key; a key that occurs twice is an error."""
    found = {row[key]: row for row in rows}
    assert len(found) == len(rows)
    return found
