"""A platform whose resources are those of an OpenAPI specification, which Dagster keeps from one refresh to the next.

dg utils refresh-defs-state -> write_state_to_path: the specification is read, and drafted as a declaration
any load of definitions     -> build_defs_from_state: the kept declaration, without a network
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import dagster as dg
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs, ResolvedDefsStateConfig
from dagster_shared.serdes.objects.models.defs_state_info import DefsStateManagementType

from platform_assets.components.base import PlatformBase
from platform_assets.declarations import DeclarationError, Platform, PlatformAssetsError
from platform_assets.declarations.validation import validate_beside

if TYPE_CHECKING:
    from platform_assets.platform_files.openapi import Draft

# Bytes of a specification, and seconds to wait for a part of it.
MAX_BYTES = 20_000_000
TIMEOUT = 30.0
_CHUNK = 65536
# Not by each start of `dg dev` either: a vendor that is away would stop the whole project from loading.
_LOCAL = DefsStateConfigArgs(management_type=DefsStateManagementType.LOCAL_FILESYSTEM, refresh_if_dev=False)


@dataclass
class OpenApiPlatformComponent(PlatformBase, dg.StateBackedComponent, dg.Resolvable):
    """The lists of an OpenAPI specification as assets, found anew at each refresh of the state.

    As `PlatformComponent`, but the declaration is drafted from the specification as `platform-assets new --openapi`
    does, and kept by Dagster. Before the first refresh the project has no assets of it.
    """

    name: Annotated[str, dg.Resolver.default(description="The platform's name, in snake_case.")]
    specification: Annotated[
        str,
        dg.Resolver.default(
            description="Address of the specification (http or https), or a file relative to the project.",
            examples=["https://api.shop.example/openapi.json"],
        ),
    ]
    base_url: Annotated[
        str | None, dg.Resolver.default(description="Where the API is, if the specification does not say it.")
    ] = None
    resources: Annotated[
        Sequence[str] | None, dg.Resolver.default(description="Only these; without it all that can be read.")
    ] = None
    schedules: Annotated[bool, dg.Resolver.default(description="Whether there are schedules.")] = True
    freshness_sensors: Annotated[
        bool, dg.Resolver.default(description="Whether a sensor requests runs of what is older than allowed.")
    ] = True
    defs_state: ResolvedDefsStateConfig = field(default_factory=lambda: _LOCAL)

    @property
    def defs_state_config(self) -> DefsStateConfig:
        return DefsStateConfig.from_args(self.defs_state, default_key=f"{type(self).__name__}[{self.name}]")

    def write_state_to_path(self, state_path: Path) -> None:
        """Read the specification and keep what it declares.

        Raises dg.DagsterInvalidDefinitionError if it cannot be read or has none of the lists; nothing is kept then.
        """
        from platform_assets.platform_files import as_yaml

        try:
            draft = _drafted(self.specification, self.name, self.base_url)
            platform = self._chosen(draft.platform)
        except PlatformAssetsError as error:
            raise dg.DagsterInvalidDefinitionError(f"{self.name}: {error}") from None
        state_path.parent.mkdir(parents=True, exist_ok=True)
        state_path.write_text(as_yaml(platform), encoding="utf-8")

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """What the kept declaration makes; nothing before the first refresh.

        Raises dg.DagsterInvalidDefinitionError for a declaration that cannot stand beside those of other components.
        """
        if state_path is None or not state_path.is_file():
            return dg.Definitions()
        from platform_assets.platform_files.reader import parse_platform

        try:
            platform = parse_platform(state_path.read_text(encoding="utf-8"), f"the kept declaration of {self.name}")
            validate_beside(platform, self.built_beside(context))
        except DeclarationError as error:
            raise dg.DagsterInvalidDefinitionError(f"{self.name}: {error}") from None
        return self.definitions(platform)

    def _chosen(self, platform: Platform) -> Platform:
        """With the resources that are wanted, and their parents."""
        from platform_assets.declarations.ancestry import ancestors

        if self.resources is None:
            return platform
        known = [one.name for one in platform.resources]
        if unknown := [name for name in self.resources if name not in known]:
            raise PlatformAssetsError(f"the specification has no list {unknown[0]!r}; there are {', '.join(known)}")
        wanted = set(self.resources).union(*(ancestors(platform, name) for name in self.resources))
        chosen = tuple(one for one in platform.resources if one.name in wanted)
        plain = [one.endpoint.path for one in chosen if not one.endpoint.placeholders]
        probe = platform.client.probe if platform.client.probe in plain else plain[0]
        return replace(platform, resources=chosen, client=replace(platform.client, probe=probe))


def _drafted(specification: str, name: str, base_url: str | None) -> "Draft":
    from platform_assets.platform_files.openapi import draft_platform, read_specification

    if not specification.startswith(("http://", "https://")):
        return draft_platform(read_specification(Path(specification)), name, base_url)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "specification"
        _download(specification, file)
        return draft_platform(read_specification(file), name, base_url)


def _download(address: str, file: Path) -> None:
    """Raises PlatformAssetsError if there is no answer, another one than 200, or too much of it."""
    import requests

    try:
        with requests.get(address, timeout=TIMEOUT, stream=True) as answer, file.open("wb") as out:
            if answer.status_code != 200:
                raise PlatformAssetsError(f"{address} answered {answer.status_code}")
            size = 0
            for part in answer.iter_content(_CHUNK):
                size += len(part)
                if size > MAX_BYTES:
                    raise PlatformAssetsError(f"{address} is larger than {MAX_BYTES:,} bytes")
                out.write(part)
    except requests.RequestException as error:
        raise PlatformAssetsError(f"{address} cannot be read: {type(error).__name__}") from None
