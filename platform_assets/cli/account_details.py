"""What `platform-assets check` tells about an account, beside that its credential is good.

Whose it is, which permissions are missing and which resources they cost, when the credential expires, what the plan
grants, and which endpoints the vendor is going to end.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import REFERENCE, Grant, Platform, PlatformAssetsError
from platform_assets.extraction.probe_request import unasked
from platform_assets.extraction.support import support
from platform_assets.http.client import ApiClient
from platform_assets.http.selection import get_path
from platform_assets.warehouse.source_account import account_records

# Names of an account that are listed; all are counted.
_LISTED = 3
# How long before it expires a credential is reported as expiring.
_SOON = timedelta(days=14)


def account_details(platform: Platform, client: ApiClient) -> Iterator[str]:
    """Lines about the account that the settings name, by up to two cheap requests.

    Args:
        platform: as declared, to find the contract's title.
        client: its platform has the contract applied.
    """
    chosen = platform.contracts.get(client.settings.contract)
    if chosen is not None:
        yield f"contract: {chosen.title or client.settings.contract} {chosen.version or ''}".rstrip()
    yield from _unasked(client)
    yield from _owner(client)
    yield from _grant(client)
    if client.settings.contract != REFERENCE:
        yield from _limits(client)
    for resource, reason in client.platform.unserved.items():
        yield f"not served: {resource}: {reason}"
    yield from _ageing(client)


def _unasked(client: ApiClient) -> Iterator[str]:
    for auth in unasked(client.platform, client.settings):
        names = " and ".join(setting_name(client.platform, one) for one in auth.secrets)
        yield f"not asked: {names}: what it is for is read for the rows of a parent"


def _owner(client: ApiClient) -> Iterator[str]:
    account = client.platform.client.account
    if account is None or client.settings.contract == REFERENCE:
        return
    try:
        records = account_records(account, client)
    except PlatformAssetsError as error:
        yield f"account: unknown: {error}"
        return
    names = [str(record.get(account.label) or record.get("slug") or record.get("id")) for record in records]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    yield f"account: {account.resource}: {', '.join(names[:_LISTED]) or 'none visible'}{more}"


def _grant(client: ApiClient) -> Iterator[str]:
    declared = client.platform.client.grant
    if declared is None:
        return
    try:
        body = client.get(declared.path).body
    except PlatformAssetsError as error:
        yield f"permissions: unknown: {error}"
        return
    yield from _permissions(client.platform, declared, body)
    yield from _expiry(declared, body)


def _permissions(platform: Platform, declared: Grant, body: Any) -> Iterator[str]:
    found = get_path(body, declared.scopes_path)
    granted = set(map(str, found)) if isinstance(found, list) else set()
    needed: dict[str, list[str]] = {}
    for resource in platform.resources:
        for scope in {one.scope for one in resource.endpoint.lists if one.scope}:
            needed.setdefault(scope, []).append(resource.name)
    missing = {scope: resources for scope, resources in needed.items() if scope not in granted}
    for scope, resources in sorted(missing.items()):
        yield f"permission missing: {scope}, so that {', '.join(resources)} will not load"
    if not missing:
        yield f"permissions: {', '.join(sorted(needed))}"


def _expiry(declared: Grant, body: Any) -> Iterator[str]:
    # Imported here: Arrow takes a tenth of a second, and few accounts have a credential that ends.
    from platform_assets.arrow.conversion import convert

    text = get_path(body, declared.expires_path) if declared.expires_path else None
    (expires,) = convert([text], "timestamp")[0].to_pylist()
    if expires is not None:
        warning = ": soon" if expires - datetime.now(UTC) < _SOON else ""
        yield f"the credential expires on {expires:%Y-%m-%d %H:%M} UTC{warning}"


def _limits(client: ApiClient) -> Iterator[str]:
    granted = client.settings.rate_limit
    limits = (granted,) if granted else client.platform.client.rate_limits
    for limit in limits:
        yield f"limit: {limit.requests} requests in {limit.seconds:g} s" + (" (setting)" if granted else "")


def _ageing(client: ApiClient) -> Iterator[str]:
    today = datetime.now(UTC).date()
    for resource in client.platform.resources:
        found = support(resource, client.notices)
        if found.deprecated:
            until = f", may end on {found.ends}" if found.ends else ""
            instead = f"; instead: {found.replacement}" if found.replacement else ""
            soon = " SOON" if found.ends_soon(today) else ""
            yield f"deprecated{soon}: {resource.name}: {', '.join(found.deprecated)}{until}{instead}"
