"""What the components of platforms share: the platform that each has built, whose names others must not take."""

from typing import ClassVar

import dagster as dg

from platform_assets.declarations import Platform


class PlatformBase(dg.Component):
    """A component that makes the definitions of one platform.

    Attributes:
        schedules, freshness_sensors: whether there are such.
        built: of the last definitions, for the components that are built after this one.
    """

    schedules: bool
    freshness_sensors: bool
    built: ClassVar[Platform | None] = None

    def definitions(self, platform: Platform) -> dg.Definitions:
        """The platform's assets, checks, jobs, schedules and sensors."""
        # Only now: `dg` imports this module with each command, whatever that does.
        from platform_assets.platform_definitions import definitions_of

        # On the object: each component has a platform of its own.
        self.built = platform  # pyright: ignore[reportAttributeAccessIssue] -- the class has the default
        return definitions_of([platform], downstream=False, scheduled=self.schedules, fresh=self.freshness_sensors)

    def built_beside(self, context: dg.ComponentLoadContext) -> list[Platform]:
        """The platforms of the project's components that were built before this one."""
        others = (one.built for one in context.component_tree.get_all_components(PlatformBase) if one is not self)
        return [one for one in others if one is not None]
