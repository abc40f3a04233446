"""Checks of base URLs: texts, and templates that settings fill."""

import re

from platform_assets.declarations.template import Template

_ADDRESS = re.compile(r"https?://[^/?#@\s]+(/[^?#\s]*)?")


def address_problem(declared: str | Template | None, secrets: tuple[str, ...]) -> str | None:
    """What is wrong with a base URL; None if nothing is, or if there is none.

    Args:
        secrets: settings with the client's credential, which no template may name.
    """
    if declared is None:
        return None
    if isinstance(declared, Template):
        # Jinja2 is imported only where a template is used.
        from platform_assets.declarations.template_problems import FUNCTIONS, SETTINGS, problem_of

        return problem_of(declared, SETTINGS | FUNCTIONS, secrets)
    if not _ADDRESS.fullmatch(declared):
        return "must be an address such as `https://api.example.com/v1`, without user, query and fragment"
    return None
