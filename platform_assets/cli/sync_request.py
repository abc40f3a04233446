"""What a user asked `sync` or `verify` for, and the assets that this means."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import dagster as dg

from platform_assets.cli.environment import chosen_platforms, unserved
from platform_assets.declarations import REFERENCE, Platform, Resource
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.http.errors import SettingsError
from platform_assets.platforms import broken_platforms


@dataclass(frozen=True)
class SyncRequest:
    """The options of `platform-assets sync`; an empty tuple means everything."""

    platforms: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    full_refresh: bool = False
    start_over: bool = False
    models: bool = True
    sandbox: bool = False
    contract: str = REFERENCE


def selected_keys(request: SyncRequest) -> list[dg.AssetKey]:
    """Keys of the requested tables, in the order of the request or else of the declarations.

    Raises:
        SettingsError: a platform or an asset does not exist, or an option does not apply to any selected asset.
    """
    platforms = _without_unserved(request, chosen_platforms(request.platforms))
    known = {f"{platform.name}/{resource.name}": resource for platform in platforms for resource in platform.resources}
    for name in request.assets:
        if name not in known:
            _raise_unknown_asset(name, known)
    names = list(dict.fromkeys(request.assets)) or list(known)
    _check_options(request, [known[name] for name in names], names)
    return [dg.AssetKey(name.split("/")) for name in names]


def _without_unserved(request: SyncRequest, platforms: list[Platform]) -> list[Platform]:
    """Leave out, with a line on stderr, the platforms that neither a setting nor the sandbox serves.

    A platform that was named is kept, so that its missing settings are an error.
    """
    if not request.sandbox or request.platforms or request.assets:
        return platforms
    left_out = unserved(platforms)
    for platform in left_out:
        print(f"{platform.name}: left out, it is not configured and the sandbox does not serve it", file=sys.stderr)
    return [platform for platform in platforms if platform not in left_out]


def _raise_unknown_asset(name: str, known: Iterable[str]) -> NoReturn:
    """Raise SettingsError for an asset that does not exist, with the nearest existing one."""
    for broken in broken_platforms():
        if name.split("/")[0] == broken.module:
            raise SettingsError(f"{name!r} cannot be loaded: {broken}")
    near = [other for other in known if other.split("/")[-1] == name.split("/")[-1]]
    hint = f"; did you mean {', '.join(near)}?" if near else did_you_mean(name, known)
    raise SettingsError(f"no asset is called {name!r}{hint}")


def _check_options(request: SyncRequest, resources: Sequence[Resource], names: Sequence[str]) -> None:
    """Raise SettingsError for `--start-over` on less than whole platforms, and for options that apply to no asset."""
    if request.start_over and (request.assets or request.partitions or request.parents or not request.platforms):
        raise SettingsError("--start-over drops whole platforms: name each with --platform, and nothing else")
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    if request.partitions and not any(resource.partition for resource in resources):
        raise SettingsError(f"--partition {request.partitions[0]}: {listed} has no partitions")
    if request.parents and not any(resource.parent for resource in resources):
        raise SettingsError(f"--parent {request.parents[0]}: {listed} has no parents")
