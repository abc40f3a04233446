"""Cases as their user has them: the manifest imported, written to a file, read again, and loaded."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platform_assets.declarations import Platform
from platform_assets.declarations.ancestry import depth
from platform_assets.http.base_urls import account_settings
from platform_assets.http.client import ApiClient
from platform_assets.importing.findings import Findings, Severity
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.reader import parse_platform
from platform_assets.sync import Selection, sync
from platform_assets.warehouse import open_warehouse
from tests.databases import fetch
from tests.importing.manifest.cases import CONFIG, SPEC, Case

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\S+Z)?")

Rows = list[dict[str, Any]]


def manifest_of(case: Case, url: str) -> dict[str, Any]:
    """The manifest, of the server at a URL."""
    found = {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": case.streams,
        "spec": SPEC,
        **case.more,
    }
    return json.loads(json.dumps(found).replace("{url}", url))


def settings() -> dict[str, str]:
    """What the configuration is as environment variables."""
    given = {**CONFIG, "nested_key": CONFIG["nested"]["key"], "backoff_factor": 0.01}
    texts = {name: json.dumps(value) if isinstance(value, list) else str(value) for name, value in given.items()}
    return {f"SOURCES__SHOP__{name.upper()}": text for name, text in texts.items() if name != "nested"}


def imported(manifest: dict[str, Any]) -> tuple[Platform, set[tuple[str | None, str]]]:
    """The platform, written to a file and read again, and what the report says is not carried."""
    findings = Findings()
    read = read_manifest(json.dumps(manifest), Path("manifest.json"), findings)
    found = import_manifest(read, "shop", findings)
    platform = parse_platform(as_yaml(replace(found.platform, base_url=found.base_url)), "shop.yaml")
    return platform, {(one.resource, one.what) for one in found.findings if one.severity is Severity.NOT_CARRIED}


def synced(platform: Platform) -> None:
    """Load everything, parents before their children. Raises AssertionError for what fails.

    Waits for reports are cut short.
    """
    levels = {one.name: depth(platform, one) for one in platform.resources}
    sleep = _shortly if any(one.endpoint.job for one in platform.resources) else None
    with (
        open_warehouse(platform) as warehouse,
        ApiClient(platform, account_settings(platform), sleep=sleep) as client,
    ):
        for level in sorted(set(levels.values())):
            outcomes = sync(client, warehouse, Selection(tuple(name for name in levels if levels[name] == level)))
            assert all(one.ok for one in outcomes), [str(one) for one in outcomes]


def _shortly(seconds: float) -> None:
    time.sleep(min(seconds, 0.01))


def load(case: Case, url: str, warehouse: Path) -> dict[str, Rows]:
    """The rows of each stream of a case."""
    platform, _ = imported(manifest_of(case, url))
    synced(platform)
    return {stream: plain(_table(warehouse, stream)) for stream in case.rows}


def plain(records: Rows) -> Rows:
    """Without what is null or internal, in one order; dots in names as columns have them."""
    kept = [
        {
            key.replace(".", "_"): comparable(value)
            for key, value in one.items()
            if value is not None and not key.startswith("_")
        }
        for one in records
    ]
    return sorted(kept, key=lambda one: json.dumps(one, sort_keys=True, default=str))


def comparable(value: Any) -> Any:
    """A value as a table and as JSON have it: moments without their form, lists and objects as data."""
    if isinstance(value, str) and value[:1] in "[{":
        return json.loads(value)
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _table(file: Path, name: str) -> Rows:
    names, rows = fetch(file, f"SELECT * FROM shop.{name}")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [row for row in found if row.get("_deleted_at") is None]
