"""Six live vendors' APIs over the sandbox's records, at `/vendor/<name>/...`.

Written from the vendors' documented behaviour, not from what reads them. `vendor_rows` is the oracle: what a correct
load of a contract has in each table.
"""

from collections.abc import Callable, Collection
from typing import Any

import orjson

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.vendors import (
    buildkite,
    grafana_k6,
    k6_legacy,
    ninjaone,
    pipedrive_records,
    sentry,
)
from platform_assets.sandbox.vendors.buildkite import Buildkite
from platform_assets.sandbox.vendors.differences import EXTRA_FIELDS, MISSING_FIELDS, MISSING_RESOURCES
from platform_assets.sandbox.vendors.exchange import Vendor
from platform_assets.sandbox.vendors.grafana_k6 import GrafanaK6
from platform_assets.sandbox.vendors.k6_legacy import K6Legacy
from platform_assets.sandbox.vendors.ninjaone import NinjaOne
from platform_assets.sandbox.vendors.options import VendorOptions
from platform_assets.sandbox.vendors.pipedrive import Pipedrive
from platform_assets.sandbox.vendors.sentry import Sentry

__all__ = [
    "EXTRA_FIELDS",
    "MISSING_FIELDS",
    "MISSING_RESOURCES",
    "VENDOR_PLATFORMS",
    "VendorOptions",
    "vendor_apis",
    "vendor_rows",
]

# Contract -> platform.
VENDOR_PLATFORMS: dict[str, str] = {
    one.name: one.platform for one in (Buildkite, K6Legacy, GrafanaK6, Sentry, NinjaOne, Pipedrive)
}
_ROWS: dict[str, Callable[[FakeBackend], dict[str, list[Record]]]] = {
    "buildkite": buildkite.rows,
    "k6_legacy": k6_legacy.rows,
    "ninjaone": ninjaone.rows,
    "pipedrive": pipedrive_records.rows,
}


def vendor_apis(backend: FakeBackend, options: VendorOptions) -> dict[str, Vendor]:
    """The APIs by contract. They read the options at each request."""
    found: tuple[Vendor, ...] = (
        Buildkite(backend, lambda: options.buildkite),
        K6Legacy(backend, lambda: options.k6_legacy),
        GrafanaK6(backend, lambda: options.grafana_k6),
        Sentry(backend, lambda: options.sentry),
        NinjaOne(backend, lambda: options.ninjaone),
        Pipedrive(backend, lambda: options.pipedrive),
    )
    return {one.name: one for one in found}


def vendor_rows(
    backend: FakeBackend, contract: str, *, organizations: Collection[str] | None = None, details: bool = False
) -> dict[str, list[Record]]:
    """Every record that a correct load of a contract has, by resource, in the reference's names, types and times.

    What the vendor does not serve is absent: a field from its records, a resource from the dict (`organizations` of
    grafana_k6). Fields that only the vendor has are in the records too. `differences` lists both kinds.

    Args:
        organizations: slugs of the organizations that are read; for sentry only, None for all.
        details: whether the requests per row are sent too; for grafana_k6 only.
    """
    with backend.lock:
        if contract == "sentry":
            found: Any = sentry.rows(backend, organizations)
        elif contract == "grafana_k6":
            found = grafana_k6.rows(backend, with_details=details)
        else:
            found = _ROWS[contract](backend)
        return orjson.loads(orjson.dumps(found))
