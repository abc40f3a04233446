"""Requests per sync over the sandbox, beside the fewest that each contract allows. Writes benchmarks/REQUESTS.md.

Three syncs of each contract: the first, one with nothing new, and one after a day's changes. What is sent is counted by
the sandbox; the least is counted from its records (least_requests.py).
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import least_requests
from benchmarks.fast_path import HERE
from benchmarks.least_requests import Least, Moment
from benchmarks.least_requests_reference import REFERENCE_LEAST
from platform_assets.configuration import environment
from platform_assets.configuration.platform_settings import platform_secrets, setting_name
from platform_assets.extraction.connection import connect
from platform_assets.platforms import platform_named
from platform_assets.sandbox import VENDOR_PLATFORMS, SandboxServer
from platform_assets.sync import ResourceOutcome, Selection, sync
from platform_assets.warehouse import open_warehouse

SYNCS = ("first", "nothing new", "after a day's changes")
# How the contract is called in the report -> platform, contract.
CONTRACTS = {f"reference {name}": (name, "reference") for name in REFERENCE_LEAST} | {
    contract: (platform, contract) for contract, platform in VENDOR_PLATFORMS.items()
}


@dataclass(frozen=True)
class Measured:
    """One sync.

    Attributes:
        contract: a key of `CONTRACTS`.
        kind: one of `SYNCS`.
        sent: requests that the sandbox has received.
        by_resource: resource -> requests, as the sync counts them.
        least: what it could do with.
    """

    contract: str
    kind: str
    sent: int
    by_resource: dict[str, int]
    least: Least

    @property
    def needed(self) -> int:
        return sum(self.least.needed.values())

    @property
    def ratio(self) -> float:
        return self.sent / self.least.total

    @property
    def above(self) -> dict[str, int]:
        """Resource -> requests above its least."""
        return {
            name: more
            for name, sent in self.by_resource.items()
            if (more := sent - self.least.resources.get(name, 0)) > 0
        }


def measure(label: str) -> Iterator[Measured]:
    """Three syncs of one contract into a warehouse of its own."""
    name, contract = CONTRACTS[label]
    declared = platform_named(name)
    count = REFERENCE_LEAST[name] if contract == "reference" else getattr(least_requests, contract)
    with tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as folder, SandboxServer() as server:
        if contract == "reference":
            (secret,) = platform_secrets(declared)
            settings = {"base_url": server.base_url(name), secret: server.token(name), "rate_limit": "100000/1"}
        else:
            settings = server.vendor_settings(contract)
        variables = {setting_name(declared, key): value for key, value in settings.items()}
        variables["DESTINATION__DUCKDB__CREDENTIALS"] = str(Path(folder) / "warehouse.duckdb")
        before: Moment | None = None
        with environment(variables):
            for kind in SYNCS:
                if kind == SYNCS[2]:
                    server.backend.advance(days=1)
                now = Moment.of(server.backend, name)
                sent = len(server.requests)
                outcomes = _sync(name)
                by_resource = {outcome.name: outcome.requests for outcome in outcomes}
                yield Measured(label, kind, len(server.requests) - sent, by_resource, count(now, before))
                before = now


def _sync(name: str) -> list[ResourceOutcome]:
    """Sync a whole platform, parents first. Raises SystemExit if something failed."""
    declared = platform_named(name)
    found: list[ResourceOutcome] = []
    for is_child in (False, True):
        names = tuple(one.name for one in declared.resources if bool(one.parent) is is_child)
        if names:
            connection = connect(declared)
            with open_warehouse(connection.platform) as warehouse, connection.open_client() as client:
                found += sync(client, warehouse, Selection(names))
    failed = [f"{one.name}: {one.error or one.failed_partitions}" for one in found if not one.ok]
    if failed:
        raise SystemExit("\n".join(failed))
    return found


def table(found: list[Measured]) -> str:
    """The report's table."""
    lines = [
        "| contract | sync | sent | least | ratio | of the rest, needed | above the least, by resource |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for one in found:
        above = ", ".join(f"{name} +{more}" for name, more in one.above.items())
        lines.append(
            f"| {one.contract} | {one.kind} | {one.sent} | {one.least.total} | {one.ratio:.2f} |"
            f" {min(one.needed, max(0, one.sent - one.least.total))} | {above} |"
        )
    return "\n".join(lines)


def reasons(found: list[Measured]) -> str:
    """Why a resource may need more than the least, with the resources that it holds for."""
    by_reason: dict[str, dict[str, None]] = {}
    for one in found:
        for (resource, reason), requests in one.least.needed.items():
            if requests and one.above.get(resource):
                by_reason.setdefault(reason, {})[f"{one.contract} {resource}"] = None
    return "\n".join(f"- {reason}: {', '.join(names)}." for reason, names in by_reason.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contracts", nargs="*", metavar="CONTRACT", help=f"of {', '.join(CONTRACTS)}; default: all")
    chosen = parser.parse_args().contracts or list(CONTRACTS)
    found: list[Measured] = []
    for label in chosen:
        for one in measure(label):
            found.append(one)
            print(
                f"{one.contract:30} {one.kind:22} {one.sent:5} sent, least {one.least.total:5}  {one.above}", flush=True
            )
    accounts = sorted({name for one in found for name in one.least.account})
    text = f"""# Requests per sync

Over the sandbox's records. `sent` is counted by the sandbox. `least` is counted from its records, not from what reads
them: per list max(1, ceil(rows / largest page)), per parent where the API lists by parent, pages as the server cuts
them (Sentry filters rows out afterwards), and one request more where an empty page is a list's only end. In it, beside
the resources: {", ".join(accounts) or "nothing"}. The sandbox's account is known without a request; a live account
costs one more in the first sync.

{table(found)}

Requests above the least that are needed:

{reasons(found)}

What else is above it is the overlap: pages that are counted by position begin with the last row of the page before, so
that a row that moves between two requests is noticed without a second read. The second read costs as much as the first,
but only where pages cannot overlap, rows can move, and something of that parent is new; without it a row that moves up
over a page's edge, because one before it was removed, would be missed.
"""
    print(f"\n{text}")
    if chosen == list(CONTRACTS):
        (HERE / "REQUESTS.md").write_text(text)


if __name__ == "__main__":
    main()
