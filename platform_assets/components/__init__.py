"""For Dagster projects of other people: a platform as a component of theirs.

component    `platform_assets.PlatformComponent`
discovered   `platform_assets.OpenApiPlatformComponent`, whose declaration Dagster keeps from one refresh to the next
base         what both share: the definitions of one platform, and the platforms of a project's other components
inline       a declaration that stands in `defs.yaml`, with its lines
scaffolder   `dg scaffold defs platform_assets.PlatformComponent`
written      which declaration a scaffolded component gets
"""

from platform_assets.components.component import PlatformComponent
from platform_assets.components.discovered import OpenApiPlatformComponent

__all__ = ["OpenApiPlatformComponent", "PlatformComponent"]
