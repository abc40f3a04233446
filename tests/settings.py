"""The environment variables that point platforms at a server: one place for tests in this process and in others."""

from collections.abc import Callable

from platform_assets.platforms import all_platforms
from platform_assets.sandbox import VENDOR_PLATFORMS, SandboxServer
from platform_assets.sandbox.tokens import ninjaone_client_id, ninjaone_client_secret

PointAt = Callable[[SandboxServer], None]  # the fixture `point_at`
Point = Callable[..., None]  # the fixture `point`, called as `platform_settings`


def platform_settings(platform: str, url: str, token: str = "t", **more: str) -> dict[str, str]:
    """Variables of one platform, with no wait before a retry; `more` are further settings, e.g. `PAGE_SIZE="10"`."""
    values = {"BASE_URL": url, "API_TOKEN": token, "BACKOFF_FACTOR": "0", **more}
    return {f"SOURCES__{platform.upper()}__{name}": value for name, value in values.items()}


def sandbox_settings(server: SandboxServer, token: str | None = None) -> dict[str, str]:
    """Variables of all platforms, for a sandbox; `token` replaces the valid ones."""
    found: dict[str, str] = {}
    for platform in all_platforms():
        name = platform.name
        found |= platform_settings(name, server.base_url(name), token or server.token(name))
    return found


def vendor_settings(server: SandboxServer, contract: str, **more: str) -> dict[str, str]:
    """Variables of one platform, for a live vendor's contract as the sandbox speaks it, without waits for limits."""
    platform = VENDOR_PLATFORMS[contract]
    values = {
        "CONTRACT": contract,
        "RATE_LIMIT": "100000/1",
        "CLIENT_ID": ninjaone_client_id(),
        "CLIENT_SECRET": ninjaone_client_secret(),
        "STACK_ID": str(server.vendors.grafana_k6.stack_id),
        "ORGANIZATION": "acme,globex,initech",
        **more,
    }
    return platform_settings(platform, server.vendor_url(contract), server.token(platform), **values)
