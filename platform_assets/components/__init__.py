"""For Dagster projects of other people: a platform as a component of theirs.

component    `platform_assets.PlatformComponent`
inline       a declaration that stands in `defs.yaml`, with its lines
scaffolder   `dg scaffold defs platform_assets.PlatformComponent`
written      which declaration a scaffolded component gets
"""

from platform_assets.components.component import PlatformComponent

__all__ = ["PlatformComponent"]
