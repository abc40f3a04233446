"""One sync of some resources of one platform: plan, read, land, record.

1. Plan, with the warehouse held for a moment: whose rows they are, schema, cursors, known rows, parents.
2. Read over HTTP, with the warehouse free: every resource and parent concurrently, into Parquet files.
   One that is not read to its last page leaves nothing behind; the others go on.
3. Land, with the warehouse held again: one dlt package with all that is new, then one transaction with
   cursors and removed rows. Killed before that transaction, the next sync reads the same rows again and
   merges them into themselves. What another run has landed meanwhile is planned and read again.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from platform_assets.cancellation import current
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform
from platform_assets.http.client import ApiClient
from platform_assets.sync.account import agree_on_source, recorded_source, refuse_another_account
from platform_assets.sync.land import finish, land, overtaken
from platform_assets.sync.outcome import ResourceOutcome
from platform_assets.sync.plan import Plan, Planner, Selection
from platform_assets.sync.read import read_all
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import Source

log = logging.getLogger(__name__)

_ROUNDS = 4
"""So often a resource is read again because other runs landed it meanwhile; then it fails."""


def sync(
    platform: Platform, settings: Settings, warehouse: Warehouse, client: ApiClient, selection: Selection
) -> list[ResourceOutcome]:
    """Sync the selection; one outcome per resource, in the selection's order.

    Raises Cancelled where it is told to end before all is read, and lands nothing then; told later, it lands.
    What fails inside one resource or parent is in its outcome. Raises AnotherAccount where the warehouse holds
    another account's rows, WarehouseError where it is not available, and dlt's or the destination's errors where the
    load itself fails (nothing is recorded then, and the next sync reads the same rows again).
    """
    with _few_collections():
        outcomes: dict[str, ResourceOutcome] = {}
        left = selection
        for round_number in range(1, _ROUNDS + 1):
            done = _sync(platform, settings, warehouse, client, left, is_last=round_number == _ROUNDS)
            outcomes.update(done)
            left = replace(left, resources=tuple(name for name in left.resources if name not in done))
            if not left.resources:
                break
    for outcome in outcomes.values():
        _log(platform, outcome)
    return [outcomes[name] for name in selection.resources]


@contextmanager
def _few_collections() -> Iterator[None]:
    """Keep the garbage collector off everything that was there before (Dagster, dlt and their likes).

    Every page allocates many objects, and so sets off full collections, that would walk through all of it
    each time: a quarter of the seconds of a large load.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _sync(
    platform: Platform,
    settings: Settings,
    warehouse: Warehouse,
    client: ApiClient,
    selection: Selection,
    *,
    is_last: bool,
) -> dict[str, ResourceOutcome]:
    """One round: the outcomes of all resources but those that another run landed meanwhile."""
    started = datetime.now(UTC)
    plans, whose = _plan(platform, settings, warehouse, client, selection, started)
    read_all(client, plans)
    # From here on it lands, or does not begin to.
    current().check()
    buffered = {plan.resource.name: finish(plan) for plan in plans}
    new = [content for content in buffered.values() if content is not None and content.files]
    row_bytes = max((content.row_bytes for content in new), default=0)
    with warehouse.session(refresh=bool(new), row_bytes=row_bytes) as session:
        refuse_another_account(platform, settings, session, whose)
        late = {plan.resource.name for plan in plans if overtaken(plan, buffered[plan.resource.name], session)}
        for plan in plans if is_last else ():
            if plan.resource.name in late:
                buffered[plan.resource.name] = None
                plan.outcome.error = (
                    f"{platform.name}/{plan.resource.name}: other runs keep loading it; {_ROUNDS} reads were in vain"
                )
        landing = [plan for plan in plans if is_last or plan.resource.name not in late]
        land(platform, session, landing, buffered, selection, started, whose)
    for name in late - {plan.resource.name for plan in landing}:
        log.info("%s/%s: another run landed it meanwhile, reading it again", platform.name, name)
    return {plan.resource.name: plan.outcome for plan in landing}


def _plan(
    platform: Platform,
    settings: Settings,
    warehouse: Warehouse,
    client: ApiClient,
    selection: Selection,
    started: datetime,
) -> tuple[list[Plan], Source]:
    """The plans of all resources, and whose rows they will be.

    Which account it is, is asked with the warehouse free, and only where the settings are not those on record.
    """
    with warehouse.session() as session:
        recorded = recorded_source(platform, settings, session)
        if recorded is not None:
            return _plans(platform, settings, warehouse, session, selection, started), recorded
    current = agree_on_source(platform, settings, warehouse, client)
    with warehouse.session() as session:
        return _plans(platform, settings, warehouse, session, selection, started), current


def _plans(
    platform: Platform,
    settings: Settings,
    warehouse: Warehouse,
    session: WarehouseSession,
    selection: Selection,
    started: datetime,
) -> list[Plan]:
    planner = Planner(platform, settings, session, selection, warehouse.folder, started)
    return [planner.plan(platform.resource(name)) for name in selection.resources]


def _log(platform: Platform, outcome: ResourceOutcome) -> None:
    asset = f"{platform.name}/{outcome.name}"
    if outcome.reset:
        log.warning("%s: read from the beginning: %s", asset, outcome.reset)
    if outcome.error:
        log.error("%s: failed: %s", asset, outcome.error)
        return
    log.info("%s: %d rows in table, %d new or changed", asset, outcome.rows_in_table, outcome.rows_loaded)
    if outcome.incomplete_parents:
        names = ", ".join(outcome.incomplete_parents[:5])
        log.warning("%s: %d parents lack what the path needs: %s", asset, len(outcome.incomplete_parents), names)
    for key, why in outcome.failed_partitions.items():
        log.error("%s: partition %s failed: %s", asset, key, why)
