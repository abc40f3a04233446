"""`platform-assets sandbox`: the five APIs on this machine."""

import shlex

import typer

from platform_assets.cli.environment import sandbox_settings
from platform_assets.cli.ports import check_port
from platform_assets.cli.sandbox_day import sandbox_records
from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import REFERENCE
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SERVED, serve


def serve_sandbox(host: str, port: int, contract: str = REFERENCE) -> None:
    """Print the settings that point here, as lines for a shell, then serve until interrupted.

    Args:
        contract: what the settings make the platforms speak, as for `sandbox_settings`; all is served anyway.
    """
    check_port("the sandbox", host, port)
    records, clock = sandbox_records()
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    typer.echo("# The sandbox serves the five APIs; these settings point at it:")
    for platform in (platform for platform in all_platforms() if platform.name in SERVED):
        for key, value in sandbox_settings(platform, f"http://{shown}:{port}", contract).items():
            typer.echo(f"export {setting_name(platform, key)}={shlex.quote(value)}")
    serve(host, port, records, clock)
