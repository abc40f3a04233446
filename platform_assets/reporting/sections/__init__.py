"""What the report shows of each platform: figures that call for action first, then charts of the marts."""

from platform_assets.reporting.sections import ci_analytics, crm, device_management, error_tracking, load_testing

SECTIONS = tuple(platform.SECTION for platform in (ci_analytics, error_tracking, load_testing, device_management, crm))
