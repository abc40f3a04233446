"""What a user asked `sync` or `verify` for, and the assets that this means."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NoReturn

from platform_assets.cli.environment import chosen_platforms, unserved
from platform_assets.declarations import REFERENCE, Platform, Resource
from platform_assets.declarations.nearest import nearest_few
from platform_assets.http.errors import SettingsError
from platform_assets.platforms import all_platforms, broken_platforms


@dataclass(frozen=True)
class SyncRequest:
    """The options of `platform-assets sync`; an empty tuple means everything.

    Attributes:
        assets: names, or patterns with `*` and `?`.
    """

    platforms: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    full_refresh: bool = False
    start_over: bool = False
    models: bool = True
    sandbox: bool = False
    contract: str = REFERENCE
    as_json: bool = False


def selected_assets(request: SyncRequest) -> list[str]:
    """`<platform>/<resource>` of the requested tables, in the order of the request or else of the declarations.

    Raises:
        SettingsError: a platform or an asset does not exist, or an option does not apply to any selected asset.
    """
    platforms = _without_unserved(request, chosen_platforms(request.platforms))
    known = _resources(platforms)
    matches = {pattern: _matching(pattern, known) for pattern in request.assets}
    for pattern, found in matches.items():
        if not found:
            _raise_no_match(pattern, request.platforms)
    names = list(dict.fromkeys(name for found in matches.values() for name in found)) or list(known)
    _check_options(request, [known[name] for name in names], names)
    return names


def _resources(platforms: Iterable[Platform]) -> dict[str, Resource]:
    return {f"{platform.name}/{resource.name}": resource for platform in platforms for resource in platform.resources}


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


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


def _raise_no_match(pattern: str, platforms: Sequence[str]) -> NoReturn:
    """Raise SettingsError for an asset that does not exist, with the nearest ones, or that `platforms` exclude."""
    known = _resources(all_platforms())
    if _matching(pattern, known):
        only = " ".join(f"--platform {name}" for name in platforms)
        raise SettingsError(f"--select {pattern} and {only} contradict each other: {only} has no such asset")
    for broken in broken_platforms():
        if pattern.split("/")[0] in broken.names:
            raise SettingsError(f"{pattern!r} cannot be loaded: {broken}")
    near = _nearest_assets(pattern, known)
    if near:
        hint = f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
    else:
        hint = "there are " + ", ".join(f"'{platform.name}/*'" for platform in all_platforms())
    raise SettingsError(f"no asset is called {pattern!r}; {hint}")


def _nearest_assets(name: str, known: Iterable[str]) -> list[str]:
    """The assets that were probably meant, also where the platform was left out or is another one."""
    resource = name.split("/")[-1]
    by_resource: dict[str, list[str]] = {}
    for other in known:
        by_resource.setdefault(other.split("/")[-1], []).append(other)
    if resource in by_resource:
        return by_resource[resource]
    return nearest_few(name, known) or [one for near in nearest_few(resource, by_resource) for one in by_resource[near]]


def _check_options(request: SyncRequest, resources: Sequence[Resource], names: Sequence[str]) -> None:
    """Raise SettingsError for `--start-over` on less than whole platforms, and for options that apply to no asset."""
    if request.start_over and (request.assets or request.partitions or request.parents or not request.platforms):
        raise SettingsError("--start-over drops whole platforms: name each with --platform, and nothing else")
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    if request.partitions and not any(resource.partition for resource in resources):
        raise SettingsError(f"--partition {request.partitions[0]}: {listed} has no partitions")
    if request.parents and not any(resource.parent for resource in resources):
        raise SettingsError(f"--parent {request.parents[0]}: {listed} has no parents")
