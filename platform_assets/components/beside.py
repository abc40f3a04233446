"""The platforms of a project's other components, whose names a declaration must not take."""

import dagster as dg

from platform_assets.declarations import Platform


def built_beside(context: dg.ComponentLoadContext, component: dg.Component) -> list[Platform]:
    """Those that were built before this component."""
    # Here: the components import this module.
    from platform_assets.components.component import PlatformComponent
    from platform_assets.components.discovered import OpenApiPlatformComponent

    found: list[Platform] = []
    for cls in (PlatformComponent, OpenApiPlatformComponent):
        others = (one.built for one in context.component_tree.get_all_components(cls) if one is not component)
        found += [one for one in others if one is not None]
    return found
