"""One file per platform, each with a `PLATFORM`: what is loaded, never how."""

import importlib
import pkgutil
from functools import cache

from platform_assets.vocabulary import Platform, validate


@cache
def all_platforms() -> tuple[Platform, ...]:
    """Every declared platform, in alphabetical order of its file; a new file is found by itself.

    Raises DeclarationError (platform, resource, key) for a declaration that cannot run.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return validate(module.PLATFORM for module in modules)


def platform_named(name: str) -> Platform:
    """The platform called `name`. Raises KeyError where there is none."""
    for platform in all_platforms():
        if platform.name == name:
            return platform
    raise KeyError(f"no platform is called {name!r}; there are {', '.join(p.name for p in all_platforms())}")
