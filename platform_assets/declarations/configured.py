"""A value of a request that a setting says."""

from dataclasses import dataclass

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True)
class Configured:
    """A path value, query parameter or header taken from `[sources.<platform>] <setting>`; once per value if several.

    Args:
        setting: key of the setting; required for the contract that uses it.
    """

    setting: str
