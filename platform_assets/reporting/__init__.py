"""A page for people: what the marts say, as charts."""

from platform_assets.reporting.page import report

__all__ = ["report"]
