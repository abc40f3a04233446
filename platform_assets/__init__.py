"""Five SaaS platforms as Dagster assets: declared in `platforms`, read over HTTP, loaded by dlt, modelled by dbt.

The components are for Dagster projects of other people; they are imported when they are asked for, because whatever is
imported of this package would import Dagster otherwise.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from platform_assets.components import OpenApiPlatformComponent, PlatformComponent

__all__ = ["OpenApiPlatformComponent", "PlatformComponent"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("platform_assets.components"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # `dg` takes the names of components from here.
    return sorted([*globals(), *__all__])
