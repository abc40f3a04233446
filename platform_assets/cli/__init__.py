"""The `platform-assets` command.

`app.py` declares the commands and their options; each command is a module of its name, imported when it runs.
`environment.py` holds what several commands set up first.
"""

from platform_assets.cli.app import main

__all__ = ["main"]
