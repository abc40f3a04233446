"""The `platform-assets` command."""

from platform_assets.cli.app import main

__all__ = ["main"]
