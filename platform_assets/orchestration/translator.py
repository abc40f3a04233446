"""What Dagster shows of a resource before its first run: key, lineage, columns, owners, freshness policy."""

from dataclasses import dataclass

import dagster as dg
from dagster_dlt import DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from platform_assets.configuration.freshness import LATE_AFTER, SHORTEST, TOO_LATE_AFTER, late_after, too_late_after
from platform_assets.declarations import Platform, Resource
from platform_assets.warehouse.dlt_source import default_naming, table_columns


def asset_key(platform: Platform, resource: str) -> dg.AssetKey:
    """`<platform>/<resource>`."""
    return dg.AssetKey([platform.name, resource])


@dataclass
class PlatformTranslator(DagsterDltTranslator):
    """Asset specs of a platform's dlt resources."""

    platform: Platform

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        """Spec of one resource; its only dependency is its parent, because the API is not an asset of this project."""
        resource = self.platform.resource(data.resource.name)
        return dg.AssetSpec(
            key=asset_key(self.platform, resource.name),
            deps=[asset_key(self.platform, resource.parent)] if resource.parent else [],
            description=_description(self.platform, resource),
            group_name=self.platform.name,
            owners=list(self.platform.owners),
            kinds={"dlt"},
            tags={"platform": self.platform.name},
            freshness_policy=_freshness_policy(self.platform, resource),
            metadata={
                **parent_lineage(self.platform, resource),
                "dagster/table_name": f"{self.platform.name}.{resource.name}",
                "dagster/column_schema": _column_schema(self.platform, resource),
                "path": resource.endpoint.path,
                "primary_key": ", ".join(self.platform.primary_key_of(resource)),
            },
        )


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


def _description(platform: Platform, resource: Resource) -> str:
    lines = [
        resource.description,
        "",
        f"Loaded from `GET {resource.endpoint.path}` into `{platform.name}.{resource.name}`.",
    ]
    if resource.specified_name:
        lines.append(f"Specified as `{resource.specified_name}`.")
    if resource.endpoint.incremental:
        lines.append(f"Cursor: `{resource.endpoint.incremental.cursor_path}`.")
    return "\n".join(lines)


def _column_schema(platform: Platform, resource: Resource) -> dg.TableSchema:
    columns = table_columns(platform, resource, default_naming())
    key = {columns.name_of(name) for name in platform.primary_key_of(resource)}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                data_type,
                constraints=dg.TableColumnConstraints(nullable=name not in key, unique=key == {name}),
            )
            for name, data_type in columns.types.items()
        ]
    )
