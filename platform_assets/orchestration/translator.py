"""What Dagster shows of a resource before its first run: key, lineage, columns, owners, freshness policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from platform_assets.configuration import DOCS, DOCS_URL, read
from platform_assets.configuration.freshness import LATE_AFTER, SHORTEST, TOO_LATE_AFTER, late_after, too_late_after
from platform_assets.configuration.platform_settings import chosen_contract
from platform_assets.declarations import Platform, Resource, SettingsError
from platform_assets.declarations.ancestry import parents_of
from platform_assets.orchestration.column_schema import declared_schema
from platform_assets.platforms import shipped_platforms
from platform_assets.warehouse.dlt_source import default_naming
from platform_assets.warehouse.location import warehouse_kind

# The project's folder, relative to which its documents are named unless a site has them.
_PROJECT = Path(__file__).parents[2]


def asset_key(platform: Platform, resource: str) -> dg.AssetKey:
    """`<platform>/<resource>`."""
    return dg.AssetKey([platform.name, resource])


@dataclass
class PlatformTranslator(DagsterDltTranslator):
    """Asset specs of a platform's dlt resources."""

    platform: Platform

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Spec of one resource; it depends on its parents only, because the API is not an asset of this project."""
        resource = self.platform.resource(data.resource.name)
        served = self._served.resource(resource.name)
        return dg.AssetSpec(
            key=asset_key(self.platform, resource.name),
            deps=[_parent(self.platform, name) for name in parents_of(self.platform, resource)],
            description=_description(self._served, served),
            group_name=self.platform.name,
            owners=list(self.platform.owners),
            kinds=kinds(),
            tags={"platform": self.platform.name},
            freshness_policy=_freshness_policy(self.platform, resource),
            metadata={
                **parent_lineage(self.platform, resource),
                "dagster/table_name": f"{self.platform.name}.{resource.name}",
                "dagster/column_schema": declared_schema(self.platform, resource),
                "contract": self._contract,
                "path": served.endpoint.path,
                "primary_key": ", ".join(self.platform.primary_key_of(resource)),
                **dict(_documents(self._served, served, self._site)),
            },
        )

    @cached_property
    def _contract(self) -> str:
        return chosen_contract(self.platform)

    @cached_property
    def _served(self) -> Platform:
        """The platform with the contract that the settings chose when the definitions were loaded."""
        return self.platform.with_contract(self._contract)

    @cached_property
    def _site(self) -> str | None:
        """Where the documentation is served; None if nowhere, or if the setting cannot be used, as a run then says."""
        try:
            url = read(DOCS, DOCS_URL)
        except SettingsError:
            return None
        return url.rstrip("/") if url else None


def _parent(platform: Platform, name: str) -> dg.AssetDep:
    """A dependency on a parent. Any partition of it may have rows that any of the child's is read for."""
    mapping = dg.AllPartitionMapping() if platform.resource(name).partition else None
    return dg.AssetDep(asset_key(platform, name), partition_mapping=mapping)


def kinds() -> set[str]:
    """What the UI shows an icon for: who loads, and where to."""
    return {"dlt", warehouse_kind()}


def parent_lineage(platform: Platform, resource: Resource) -> dict[str, dg.TableColumnLineage]:
    """Column lineage of the foreign keys that the path template implies, e.g. `_organizations_slug`."""
    naming = default_naming()
    deps = {
        naming.normalize_identifier(resolve.column): [
            dg.TableColumnDep(
                asset_key=asset_key(platform, resolve.resource),
                column_name=naming.normalize_identifier(resolve.field.split(".")[0]),
            )
        ]
        for resolve in resource.endpoint.parents.values()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)} if deps else {}


def _freshness_policy(platform: Platform, resource: Resource) -> dg.FreshnessPolicy:
    """Warns when the asset is late, fails when it is too late. It knows an asset's last load, not its partitions'."""
    late = max(late_after(platform, resource), SHORTEST)
    too_late = max(too_late_after(platform, resource), late * TOO_LATE_AFTER / LATE_AFTER)
    return dg.FreshnessPolicy.time_window(fail_window=too_late, warn_window=late)


def _documents(platform: Platform, resource: Resource, site: str | None) -> Iterator[tuple[str, Any]]:
    """Where to read on: the vendor's documentation of the resource, and our pages of its table and of the platform."""
    url = platform.docs_url_of(resource)
    if url is not None:
        yield "vendor_docs", dg.MetadataValue.url(url)
    for label, page, part in (
        ("table_docs", f"tables/{platform.name}", f"#{resource.name}"),
        ("docs", f"platforms/{platform.name}", ""),
    ):
        if site and any(shipped.name == platform.name for shipped in shipped_platforms()):
            yield label, dg.MetadataValue.url(f"{site}/{page}.html{part}")
        elif (_PROJECT / "docs" / f"{page}.md").exists():
            yield label, dg.MetadataValue.path(f"docs/{page}.md{part}")


def _description(platform: Platform, resource: Resource) -> str:
    """In Markdown; `platform` has its contract applied."""
    table, unserved = f"`{platform.name}.{resource.name}`", platform.unserved.get(resource.name)
    loaded = f"Loaded from `{resource.endpoint.method} {resource.endpoint.path}` into {table}."
    lines = [resource.description, "", f"{table} is not loaded: {unserved}." if unserved else loaded]
    if resource.specified_name:
        lines.append(f"Specified as `{resource.specified_name}`.")
    if resource.endpoint.incremental:
        lines.append(f"Cursor: `{resource.endpoint.incremental.cursor_path}`.")
    return "\n".join(lines)
