"""`platform-assets sandbox`: the five APIs on this machine."""

import typer

from platform_assets.cli.ports import check_port
from platform_assets.configuration.platform_settings import platform_secrets, setting_name
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SERVED, sandbox_token, serve


def serve_sandbox(host: str, port: int) -> None:
    """Print the settings that point here, then serve until interrupted."""
    check_port("the sandbox", host, port)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    typer.echo("# The sandbox serves the five APIs; these settings point at it:")
    for platform in (platform for platform in all_platforms() if platform.name in SERVED):
        typer.echo(f"export {setting_name(platform, 'base_url')}=http://{shown}:{port}/{platform.name}")
        (secret,) = platform_secrets(platform)
        typer.echo(f"export {setting_name(platform, secret)}={sandbox_token(platform.name)}")
    serve(host, port)
