"""The report: one HTML page with charts of the marts. `charts.py` says what is drawn, `page.py` how."""

from platform_assets.reporting.page import report

__all__ = ["report"]
