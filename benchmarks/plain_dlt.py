"""All 47 resources by dlt's `rest_api`, as somebody would write it who has only dlt: the peer of `benchmarks.command`.

    python -m benchmarks.plain_dlt FOLDER           # reads the sandbox of the settings into FOLDER/plain.duckdb
    python -m benchmarks.plain_dlt FOLDER parquet   # with that format between dlt's steps

Paths, selectors, keys, parents and page sizes are those of our declarations, translated into dlt's own words. One
pipeline per platform, one schema each. Prints one line: rows in all tables of resources, and how many these are.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import dlt
import duckdb
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api import rest_api_source
from requests import Request, Response

from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import (
    ApiKeyAuth,
    Cursor,
    FanOut,
    HeaderCursor,
    Offset,
    PageNumber,
    Platform,
    Resolve,
    Resource,
)
from platform_assets.platforms import all_platforms

# Where the first request needs the beginning of a window.
ALL_TIME = {"/v1/recents": {"since_timestamp": "1900-01-01 00:00:00"}}
# Kinds whose envelope holds a list of one record.
LISTED = {"user"}


class LinkCursor(BasePaginator):
    """The `cursor` of the `next` link while that says `results="true"`: Sentry's is always present."""

    def __init__(self, parameter: str) -> None:
        super().__init__()
        self._parameter, self._cursor = parameter, ""

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        link = response.links.get("next", {})
        self._cursor, self._has_next_page = link.get("cursor", ""), link.get("results") == "true"

    def update_request(self, request: Request) -> None:
        request.params = {**cast(dict[str, Any], request.params or {}), self._parameter: self._cursor}


def paginator(platform: Platform, resource: Resource) -> tuple[Any, dict[str, Any]]:
    """dlt's paginator, and the parameters that size a page."""
    match resource.endpoint.paginator or platform.client.paginator:
        case PageNumber() as found:
            kind: Any = {"type": "page_number", "page_param": found.page_param, "base_page": 1, "total_path": None}
            return kind, {str(found.limit_param): found.limit}
        case Offset() as found:
            words = {"limit": found.limit, "offset_param": found.offset_param, "limit_param": found.limit_param}
            return {"type": "offset", "total_path": None, **words}, {}
        case Cursor() as found:
            kind = {"type": "cursor", "cursor_path": found.cursor_path, "cursor_param": found.cursor_param}
            return kind, {str(found.limit_param): found.limit}
        case HeaderCursor() as found:
            return LinkCursor(found.cursor_param), {}
        case _:
            return "single_page", {}


def translated(platform: Platform, resource: Resource, suffixes: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """dlt's resources for one of ours: several where a parameter takes several values, or the parent does."""
    endpoint = resource.endpoint
    selector = endpoint.data_selector or platform.client.data_selector
    if envelope := endpoint.envelope:
        selector += f"[*].{envelope.data_field}" + ("[*]" if envelope.kind in LISTED else "")
    kind, size = paginator(platform, resource)
    fixed = {key: value for key, value in endpoint.params.items() if not isinstance(value, Resolve | FanOut)}
    fanned = next(((key, value.values) for key, value in endpoint.params.items() if isinstance(value, FanOut)), None)
    variants = list(fanned[1]) if fanned else suffixes.get(resource.parent or "", [""])
    suffixes[resource.name] = [f"_{value}" if fanned else str(value) for value in variants]
    for value, suffix in zip(variants, suffixes[resource.name], strict=True):
        parent = f"{resource.parent}{'' if fanned else suffix}"
        resolved = {
            key: {"type": "resolve", "resource": parent, "field": resolve.field}
            for key, resolve in endpoint.parents.items()
        }
        more = {fanned[0]: value} if fanned else {}
        yield {
            "name": f"{resource.name}{suffix}",
            "table_name": resource.name,
            "primary_key": resource.primary_key or platform.primary_key,
            "write_disposition": "merge",
            "endpoint": {
                "path": endpoint.path,
                "data_selector": selector,
                "params": {**ALL_TIME.get(endpoint.path, {}), **fixed, **size, **resolved, **more},
                "paginator": kind,
            },
        }


def source_of(platform: Platform) -> Any:
    token = os.environ[setting_name(platform, "api_token")]
    auth = (
        {"type": "api_key", "name": platform.client.auth.name, "api_key": token, "location": "query"}
        if isinstance(platform.client.auth, ApiKeyAuth)
        else {"type": "bearer", "token": token}
    )
    suffixes: dict[str, list[str]] = {}
    resources = [one for resource in platform.resources for one in translated(platform, resource, suffixes)]
    client = {"base_url": os.environ[setting_name(platform, "base_url")], "auth": auth}
    config: Any = {"client": client, "resources": resources}
    return rest_api_source(config, name=platform.name)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    options: Any = {"loader_file_format": sys.argv[2]} if sys.argv[2:] else {}
    database = folder / "plain.duckdb"
    for platform in all_platforms():
        dlt.pipeline(
            f"plain_{platform.name}",
            destination=dlt.destinations.duckdb(credentials=str(database)),
            dataset_name=platform.name,
            pipelines_dir=str(folder / "dlt"),
        ).run(source_of(platform), **options)
    counts: list[int] = []
    with duckdb.connect(str(database), read_only=True) as connection:
        for platform in all_platforms():
            for resource in platform.resources:
                query = f'SELECT count(*) FROM {platform.name}."{resource.name}"'
                counts.append(connection.execute(query).fetchall()[0][0])
    print(f"{sum(counts)} rows in {len(counts)} tables")


if __name__ == "__main__":
    main()
