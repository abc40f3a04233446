"""The component: one platform's declaration, and the definitions that are made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import dagster as dg

from platform_assets.components.base import PlatformBase
from platform_assets.components.inline import platform_in_yaml
from platform_assets.components.scaffolder import PlatformScaffolder
from platform_assets.declarations import DeclarationError, Platform
from platform_assets.declarations.errors import short_path
from platform_assets.declarations.validation import validate_beside
from platform_assets.platform_files.loading import BrokenPlatform, load_file


@dg.scaffold_with(PlatformScaffolder)
@dataclass
class PlatformComponent(PlatformBase, dg.Resolvable):
    """The resources of a REST API as assets: incremental, per parent, checked, kept fresh.

    Each resource becomes the asset `<platform>/<resource>` and the table `<platform>.<resource>` of the warehouse. The
    platform's settings are variables: `SOURCES__<PLATFORM>__API_TOKEN`, `SOURCES__<PLATFORM>__BASE_URL`.
    """

    declaration: Annotated[
        str | None,
        dg.Resolver.default(
            description="File of the declaration, YAML or Python, relative to this one.", examples=["shop.yaml"]
        ),
    ] = None
    platform: Annotated[
        Platform | None,
        dg.Resolver(
            platform_in_yaml,
            model_field_type=dict[str, Any] | None,
            description="The declaration itself, with the keys of a declaration's file.",
            inject_before_resolve=False,
        ),
    ] = None
    schedules: Annotated[
        bool, dg.Resolver.default(description="Whether there are schedules, at the times that the declaration says.")
    ] = True
    freshness_sensors: Annotated[
        bool, dg.Resolver.default(description="Whether a sensor requests runs of what is older than allowed.")
    ] = True

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The platform's assets, checks, jobs, schedules and sensors. Uses no network and reads no credentials.

        Raises dg.DagsterInvalidDefinitionError, with file and line, for a declaration that cannot be used.
        """
        folder = context.path if context.path.is_dir() else context.path.parent
        return self.definitions(self._declared(folder, self.built_beside(context)))

    def _declared(self, folder: Path, others: list[Platform]) -> Platform:
        if self.platform is not None and self.declaration is None:
            try:
                validate_beside(self.platform, others)
            except DeclarationError as error:
                raise dg.DagsterInvalidDefinitionError(f"{short_path(str(folder))}: {error}") from None
            return self.platform
        if self.declaration is None or self.platform is not None:
            raise dg.DagsterInvalidDefinitionError(
                f"{short_path(str(folder))}: PlatformComponent needs either `declaration`, the name of a file,"
                " or `platform`, the declaration itself"
            )
        found = load_file(folder / self.declaration, others, replacing=False)
        if isinstance(found, BrokenPlatform):
            raise dg.DagsterInvalidDefinitionError(str(found))
        return found
