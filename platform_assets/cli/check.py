"""`platform-assets check`: settings and credentials, with one cheap request per platform and credential.

Imports neither Dagster nor dlt, unless the warehouse's account is in doubt or Dagster's home is not as we made it.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from platform_assets.cli.account_details import account_details
from platform_assets.cli.dagster_storage import try_to_open
from platform_assets.cli.environment import chosen_platforms, dagster_home_path, sandbox_for, unserved
from platform_assets.configuration import (
    ALERTS,
    DOCS,
    DOCS_URL,
    LOG_FORMAT,
    LOGGING,
    METRICS,
    METRICS_FILE,
    SANDBOX,
    SANDBOX_DAY,
    WEBHOOK_URL,
    read,
    unknown_settings,
)
from platform_assets.configuration.platform_settings import is_mentioned
from platform_assets.declarations import REFERENCE, Platform, PlatformAssetsError
from platform_assets.declarations.errors import without_platform
from platform_assets.extraction.connection import connect
from platform_assets.extraction.probe_request import probes
from platform_assets.http.client import ApiClient
from platform_assets.platforms import all_platforms, broken_platforms, replaced_platforms
from platform_assets.warehouse.location import check_settings, exclusive, missing_file, shared_limits, warehouse_name
from platform_assets.warehouse.queries import reading, recorded_source
from platform_assets.warehouse.source_account import AnotherAccount

# Seconds that the check waits for a load in flight.
_WAREHOUSE_WAIT = 10.0
# Seconds that a server has to answer a request of the check.
_ANSWER_WAIT = 10.0
# Bytes written to find out whether the disk is full.
_TRIAL_BYTES = 65_536


@dataclass(frozen=True)
class Finding:
    """What the check says of one subject: a platform, `settings`, `warehouse`, `dagster home` or `alerts`."""

    subject: str
    ok: bool
    text: str
    details: tuple[str, ...] = ()


_NOTHING = Finding(
    "platforms",
    False,
    "none is configured; `platform-assets sync --sandbox` loads all of them without credentials",
    ("docs/leave-the-sandbox.md says how to configure one",),
)


def check_platforms(names: Sequence[str], *, sandbox: bool, contract: str = REFERENCE, as_json: bool = False) -> bool:
    """Print what is found of each platform, of the warehouse and of Dagster's home; whether all are usable.

    Args:
        names: platforms to check; all of them if empty.
        sandbox: serve platforms that are not configured from the sandbox.
        contract: what the sandbox speaks.
        as_json: print one JSON document at the end instead of each finding at once.
    """
    platforms = chosen_platforms(names)
    findings: list[Finding] = []
    for finding in _findings(platforms, all_of_them=not names, sandbox=sandbox, contract=contract):
        findings.append(finding)
        if not as_json:
            _print(finding)
    ok = all(finding.ok for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}, indent=2))
    return ok


def _print(finding: Finding) -> None:
    typer.echo(f"{finding.subject}: {'' if finding.ok else 'NOT OK: '}{finding.text}")
    for line in finding.details:
        typer.echo(f"  {line}")


def _findings(platforms: list[Platform], *, all_of_them: bool, sandbox: bool, contract: str) -> Iterator[Finding]:
    left_out = unserved(platforms) if sandbox and all_of_them else []
    for platform in left_out:
        yield Finding(platform.name, True, "left out, it is not configured and the sandbox does not serve it")
    if all_of_them:
        yield from (Finding(broken.module, False, str(broken)) for broken in broken_platforms())
    for problem in unknown_settings(all_platforms(), [name for broken in broken_platforms() for name in broken.names]):
        yield Finding("settings", False, problem)
    served = [platform for platform in platforms if platform not in left_out]
    warehouse = _check_warehouse()
    if all_of_them and not sandbox and not any(map(is_mentioned, served)):
        yield _NOTHING
    else:
        with sandbox_for(served, sandbox, contract):
            yield from _check_all(served, warehouse.ok)
    yield warehouse
    yield _check_home()
    yield from _check_optional()


def _check_warehouse() -> Finding:
    try:
        check_settings()
        missing = missing_file()
        if missing is not None:
            return _check_folder("warehouse", missing)
        with exclusive("reach", wait=_WAREHOUSE_WAIT):
            pass
    except PlatformAssetsError as error:
        return _not_ok("warehouse", error)
    return Finding("warehouse", True, f"ok, {warehouse_name()} can be opened")


def _check_home() -> Finding:
    home = dagster_home_path()
    if not os.path.lexists(home):
        return _check_folder("dagster home", home)
    try:
        try_to_open(home)
    except PlatformAssetsError as error:
        return _not_ok("dagster home", error)
    return Finding("dagster home", True, f"ok, {home} can be opened")


def _check_folder(subject: str, path: Path) -> Finding:
    """Whether the first load can create a file or folder at `path`. Leaves nothing behind."""
    nearest = next(folder for folder in path.parents if os.path.lexists(folder))
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Finding(subject, False, f"{path} cannot be created: {nearest}: {error.strerror}")
    return Finding(subject, True, f"ok, {path} will be created by the first load")


def _check_optional() -> Iterator[Finding]:
    """Whether the settings that most projects do without are usable. Nothing of those that are."""
    for section, setting in (
        (ALERTS, WEBHOOK_URL),
        (METRICS, METRICS_FILE),
        (LOGGING, LOG_FORMAT),
        (DOCS, DOCS_URL),
        (SANDBOX, SANDBOX_DAY),
    ):
        try:
            read(section, setting)
        except PlatformAssetsError as error:
            yield _not_ok(section, error)


def _check_account(client: ApiClient) -> None:
    """Raise AnotherAccount if the warehouse has another account's rows. Its other errors have a line of their own."""
    try:
        if missing_file() is not None:
            return
        with reading(client.platform.name, or_copy=True) as reader:
            recorded = recorded_source(reader)
        if recorded is not None and not recorded.is_certainly(client.settings):
            _compare_accounts(client)
    except AnotherAccount:
        raise
    except PlatformAssetsError:
        return


def _compare_accounts(client: ApiClient) -> None:
    """As a sync does before it reads. Imports dlt."""
    from platform_assets.sync.account import agree_on_source
    from platform_assets.warehouse import open_warehouse

    with open_warehouse(client.platform) as warehouse:
        agree_on_source(client, warehouse, read_only=True)


def _check_all(platforms: Sequence[Platform], has_warehouse: bool) -> Iterator[Finding]:
    """Send all probes at once: servers that stay silent cost the time of one."""
    with ThreadPoolExecutor(max(1, len(platforms)), thread_name_prefix="check") as pool:
        probed = [pool.submit(_probe, platform, has_warehouse) for platform in platforms]
        for platform, client in zip(platforms, probed, strict=True):
            yield _check(platform, client)


def _probe(platform: Platform, has_warehouse: bool) -> ApiClient:
    """A client whose credentials the server accepts, to be closed. Raises PlatformAssetsError; tries once."""
    connection = connect(platform)
    patient = connection.settings.answer_timeout or _ANSWER_WAIT
    settings = replace(connection.settings, answer_timeout=min(patient, _ANSWER_WAIT))
    # One request may be sent without the warehouse, whose fault has a line of its own.
    limits = shared_limits(patience=_WAREHOUSE_WAIT) if has_warehouse else None
    client = replace(connection, settings=settings).open_client(retries=False, limits=limits)
    try:
        for probe in probes(connection.platform, settings):
            client.send(probe.outgoing, endpoint=probe.endpoint)
    except BaseException:
        client.close()
        raise
    return client


def _check(platform: Platform, probed: Future[ApiClient]) -> Finding:
    file = replaced_platforms().get(platform.name)
    details = () if file is None else (f"{file} replaces the platform of this name that the package has",)
    try:
        with probed.result() as client:
            _check_account(client)
            details += tuple(account_details(platform, client))
    except PlatformAssetsError as error:
        return replace(_not_ok(platform.name, error), details=details)
    return Finding(platform.name, True, f"ok, {client.settings.base_url} accepts the credential", details)


def _not_ok(subject: str, error: PlatformAssetsError) -> Finding:
    return Finding(subject, False, without_platform(subject, str(error)))
