"""`platform-assets verify`: compare what the APIs serve now with what the warehouse holds."""

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
import typer
from rich.console import Console

from platform_assets.cli import environment
from platform_assets.cli.environment import sandbox_for
from platform_assets.cli.table import Column, print_table
from platform_assets.counted import counted
from platform_assets.declarations import REFERENCE, Platform, PlatformAssetsError, Resource
from platform_assets.declarations.errors import without_platform
from platform_assets.extraction.connection import connect
from platform_assets.http.errors import SettingsError
from platform_assets.platforms import all_platforms
from platform_assets.verification import Finding, Kind, Verification, verify
from platform_assets.warehouse import open_warehouse
from platform_assets.warehouse.location import shared_limits


@dataclass(frozen=True)
class VerifyRequest:
    """The options of `platform-assets verify`.

    Attributes:
        assets: `<platform>/<resource>` of what is verified; see `sync_request.selected_assets`.
    """

    assets: tuple[str, ...]
    fix: bool = False
    as_json: bool = False
    sandbox: bool = False
    contract: str = REFERENCE


def run_verify(request: VerifyRequest) -> bool:
    """Verify and print; whether everything requested was verified and nothing differs."""
    began, started = datetime.now(UTC), time.monotonic()
    chosen = _chosen(request)
    found: list[tuple[str, Verification]] = []
    with sandbox_for([platform for platform, _ in chosen], request.sandbox, request.contract):
        for platform, resources in chosen:
            for one in _verified(platform, resources, request.fix):
                found.append((platform.name, one))
                _show_progress(platform, one)
    _report_to_dagster(found)
    ok = all(one.ok for _, one in found)
    if request.as_json:
        document = {
            "ok": ok,
            "started_at": began.isoformat(),
            "seconds": round(time.monotonic() - started, 3),
            "assets": [{"asset": f"{name}/{one.name}", **one.document()} for name, one in found],
        }
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2, default=str).decode())
        return ok
    _print(environment.console(), found, time.monotonic() - started)
    return ok


def _chosen(request: VerifyRequest) -> list[tuple[Platform, list[Resource]]]:
    """Platforms with their chosen resources."""
    names = set(request.assets)
    chosen = [
        (platform, [resource for resource in platform.resources if f"{platform.name}/{resource.name}" in names])
        for platform in all_platforms()
    ]
    return [(platform, resources) for platform, resources in chosen if resources]


def _verified(platform: Platform, resources: Sequence[Resource], fix: bool) -> Iterator[Verification]:
    """Verify the resources of one platform. If it has no settings, each is reported as not verified."""
    names = [resource.name for resource in resources]
    try:
        connection = connect(platform)
    except SettingsError as error:
        yield from (Verification(name, error=str(error)) for name in names)
        return
    try:
        with open_warehouse(connection.platform) as warehouse, connection.open_client(limits=shared_limits()) as client:
            yield from verify(client, warehouse, names, fix=fix)
    except PlatformAssetsError as error:
        raise PlatformAssetsError(f"{platform.name}: {error}") from None


def _report_to_dagster(found: Sequence[tuple[str, Verification]]) -> None:
    """Record what a fix wrote, so that the models above it count as stale."""
    fixed = [(name, one, one.fixed) for name, one in found if one.fixed is not None]
    if not fixed:
        return
    import dagster as dg

    with environment.open_instance() as instance:
        for name, one, done in fixed:
            numbers = {"rows_loaded": done.rows_written, "rows_removed": done.rows_removed}
            event = dg.AssetMaterialization(
                dg.AssetKey([name, one.name]),
                description="platform-assets verify --fix",
                metadata={"dagster/row_count": one.rows_in_table, **numbers},
            )
            instance.report_runless_asset_event(event)


def _show_progress(platform: Platform, one: Verification) -> None:
    """Print a line as soon as a resource is done, if stderr is a terminal."""
    if sys.stderr.isatty():
        print(f"{platform.name}/{one.name}: {_state(one)}", file=sys.stderr)


def _print(console: Console, found: Sequence[tuple[str, Verification]], seconds: float) -> None:
    columns: list[Column[tuple[str, Verification]]] = [
        Column("asset", lambda row: f"{row[0]}/{row[1].name}"),
        Column("served", partial(_number, lambda one: one.rows_served), rank=3, right=True),
        Column("in table", partial(_number, lambda one: one.rows_in_table), rank=3, right=True),
        *(Column(str(kind), partial(_number, partial(_count, kind)), right=True) for kind in Kind),
        Column("not synced yet", partial(_number, lambda one: sum(one.not_synced_yet.values())), rank=2, right=True),
        Column("requests", lambda row: str(row[1].requests), rank=1, right=True),
        Column("state", lambda row: _state(row[1])),
    ]
    if any(one.error is None for _, one in found):
        print_table(console, columns, found)
        console.print()
    for line in _lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    good = sum(one.ok for _, one in found)
    rows, requests = sum(one.rows_served for _, one in found), sum(one.requests for _, one in found)
    cost = f"{counted(rows, 'row')}, {counted(requests, 'request')}, {seconds:.1f} s"
    console.print(f"{good} of {counted(len(found), 'asset')} as served by the API: {cost}", highlight=False)


def _lines(found: Sequence[tuple[str, Verification]]) -> Iterator[str]:
    """The details of all assets; what is said of several assets of a platform is one line."""
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for platform, one in found:
        for detail in _details(platform, one):
            names[platform, detail].append(one.name)
    for (platform, detail), (name, *others) in names.items():
        more = f" and {len(others)} more" if others else ""
        yield f"{platform}/{name}{more}: {detail}"


def _number(amount: Callable[[Verification], int], row: tuple[str, Verification]) -> str:
    """A dash for what was not verified: nobody knows the number."""
    return str(amount(row[1])) if row[1].error is None else "-"


def _count(kind: Kind, one: Verification) -> int:
    return one.counts[kind]


def _state(one: Verification) -> str:
    if one.error is not None:
        return "not verified"
    if one.unserved is not None:
        return "not served"
    words = []
    if one.fixed is not None:
        words.append(f"fixed: {one.fixed.rows_written} written, {one.fixed.rows_removed} removed")
    if one.differences:
        words.append(f"{one.differences} differ")
    if one.not_verified:
        words.append(f"{len(one.not_verified)} of {counted(one.parents_known, 'parent')} not verified")
    if one.fixed is not None and one.fixed.error is not None:
        words.append("the fix failed")
    return ", ".join(words) or "ok"


def _details(platform: str, one: Verification) -> Iterator[str]:
    if one.error is not None:
        yield f"not verified: {without_platform(platform, one.error)}"
    if one.unserved is not None:
        yield f"not served by the contract in use, so there is nothing to compare it with: {one.unserved}"
    for parent, why in list(one.not_verified.items())[:10]:
        yield f"parent {parent} not verified: {without_platform(platform, why)}"
    for finding in one.examples:
        yield _described(finding)
    for finding in one.not_synced_examples:
        yield f"{_described(finding)} (not synced yet)"
    if one.fixed is not None:
        if one.fixed.removal_withheld:
            yield f"{one.fixed.removal_withheld} extra rows were not removed: too many to be believed"
        if one.fixed.error is not None:
            yield f"the fix failed: {without_platform(platform, one.fixed.error)}"


def _described(finding: Finding) -> str:
    key: Any = ", ".join(f"{name}={value}" for name, value in finding.key.items())
    columns = f" in {', '.join(finding.columns)}" if finding.columns else ""
    return f"{finding.kind}{columns}: {key}"
