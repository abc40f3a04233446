"""One sync of some resources of one platform: plan, read, land.

1. Plan, holding the warehouse briefly: account, schema, cursors, known rows, parents.
2. Read over HTTP, with the warehouse free: every resource and parent concurrently, into Parquet files.
   A read that fails leaves no rows behind; the others go on.
3. Land, holding the warehouse again: one load, then one transaction with cursors and removed rows. To hold it excludes
   every other process on DuckDB, and on a server those that change its schema; there only the transaction excludes
   whoever lands the same resource.

The warehouse is free during the longest step, so another run may land the same resource meanwhile. Such a resource is
planned and read again in another round. Holding the warehouse for the whole sync would avoid that, but one slow API
would keep every other platform waiting.

A round that has taken long enough lands what it has (round_time.py), and further rounds read what it has left. A crash
then costs minutes, also of a first load that takes hours: the next sync goes on from what has landed.
"""

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from platform_assets import progress
from platform_assets.arrow.batches import BufferedRows
from platform_assets.cancellation import current
from platform_assets.declarations import Platform
from platform_assets.declarations.errors import about
from platform_assets.extraction.support import support
from platform_assets.http.client import ApiClient
from platform_assets.log_fields import log_fields
from platform_assets.progress import REPORTED
from platform_assets.sync.account import agreed_session, check_account
from platform_assets.sync.context import Selection, SyncContext
from platform_assets.sync.land import inspect, is_outdated, load, record
from platform_assets.sync.outcome import ResourceOutcome
from platform_assets.sync.plan import Planner
from platform_assets.sync.planned import Plan
from platform_assets.sync.read import finish_reading, read_all
from platform_assets.sync.round_time import PAGES_A_PART, SECONDS_A_ROUND, RoundTime
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.session import WarehouseSession

log = logging.getLogger(__name__)

# Resource -> key of a parent -> where its read was left, None if it has not begun.
Left = dict[str, Mapping[str, str | None]]

# A resource that other runs keep landing meanwhile fails after this many rounds.
_MAX_ROUNDS = 4


def sync(client: ApiClient, warehouse: Warehouse, selection: Selection) -> list[ResourceOutcome]:
    """Sync the selected resources of the client's platform; one outcome per resource, in the selection's order.

    What fails inside one resource or parent is in its outcome and does not stop the others.

    Raises:
        Cancelled: asked to stop while it was reading; nothing of that round has landed. Asked later, it lands first.
        AnotherAccount: the warehouse has rows of another account than the settings name.
        WarehouseError: the warehouse is unavailable.
        Exception: of dlt or the destination, if the load itself fails. Nothing is recorded then, and the next sync
            reads the same rows again.
    """
    with without_full_collections():
        outcomes = _land_all(client, warehouse, selection)
        left = _left(outcomes)
        while left:
            log.info(
                "%s: landed what was read so far, going on with the rest of %s", client.platform.name, ", ".join(left)
            )
            more = _land_all(client, warehouse, replace(selection, resources=tuple(left), left=left))
            outcomes.update((name, outcomes[name].followed_by(later)) for name, later in more.items())
            left = _further(_left(more), left)
    for outcome in outcomes.values():
        progress.current().landed(client.platform.name, outcome.name, not outcome.ok)
        with log_fields(resource=outcome.name):
            _log(client.platform, outcome)
    return [outcomes[name] for name in selection.resources]


def _left(outcomes: Mapping[str, ResourceOutcome]) -> Left:
    """What a round has left to another one. Nothing of a resource that failed: the next sync goes on."""
    return {name: outcome.left for name, outcome in outcomes.items() if outcome.left and outcome.error is None}


def _further(left: Left, before: Left) -> Left:
    """What a round has left, without reads that came no further in it: they would not in the next round either."""
    moved = {
        name: {parent: at for parent, at in parents.items() if at is None or at != before[name].get(parent)}
        for name, parents in left.items()
    }
    return {name: parents for name, parents in moved.items() if parents}


def _land_all(client: ApiClient, warehouse: Warehouse, selection: Selection) -> dict[str, ResourceOutcome]:
    """Rounds until each selected resource has landed once, although other runs land it meanwhile."""
    outcomes: dict[str, ResourceOutcome] = {}
    remaining = selection
    for number in range(1, _MAX_ROUNDS + 1):
        outcomes.update(_sync_round(client, warehouse, remaining, is_last=number == _MAX_ROUNDS))
        waiting = tuple(name for name in selection.resources if name not in outcomes)
        if not waiting:
            break
        remaining = replace(selection, resources=waiting)
    return outcomes


@contextmanager
def without_full_collections() -> Iterator[None]:
    """Keep the garbage collector off all objects that exist already (Dagster's, dlt's).

    Every page allocates many objects and so triggers full collections, each of which would walk all of them: a
    quarter of the time of a large load.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _sync_round(
    client: ApiClient, warehouse: Warehouse, selection: Selection, *, is_last: bool
) -> dict[str, ResourceOutcome]:
    """Plan, read and land once; the outcomes of all resources except those that another run landed meanwhile."""
    progress.current().planning(client.platform.name)
    context, plans = _plan(client, warehouse, selection)
    read_all(client, plans, RoundTime(SECONDS_A_ROUND, PAGES_A_PART))
    # From here on the sync lands; this is the last moment to stop.
    current().check()
    progress.current().landing(client.platform.name)
    buffered = {plan.resource.name: finish_reading(plan) for plan in plans}
    for plan in plans:
        found = support(plan.resource, client.notices)
        plan.outcome.support_ends, plan.outcome.replacement = found.ends, found.replacement
    new = [content for content in buffered.values() if content is not None and content.files]
    row_bytes = max((content.row_bytes for content in new), default=0)
    landed = warehouse.writing(
        lambda session: _land(context, session, plans, buffered, is_last=is_last),
        refresh=bool(new),
        row_bytes=row_bytes,
    )
    for name in buffered.keys() - {plan.resource.name for plan in landed}:
        log.info("%s/%s: another run landed it meanwhile, reading it again", client.platform.name, name)
    return {plan.resource.name: plan.outcome for plan in landed}


def _land(
    context: SyncContext,
    session: WarehouseSession,
    plans: list[Plan],
    buffered: Mapping[str, BufferedRows | None],
    *,
    is_last: bool,
) -> list[Plan]:
    """Land what no other run has landed meanwhile. Returns the plans that were landed, or have failed by that.

    Args:
        is_last: no round follows: what another run has landed meanwhile fails.
    """
    check_account(context.client, session, context.source)
    outdated = _outdated(plans, buffered, session)
    rows = load(context, session, [plan for plan in plans if plan.resource.name not in outdated], buffered)
    with session.landing(plan.resource.name for plan in plans):
        if not session.is_alone:
            # Others may have landed since the first look; from here on they cannot.
            outdated |= _outdated(plans, buffered, session)
        landing = [plan for plan in plans if is_last or plan.resource.name not in outdated]
        for plan in landing:
            if plan.resource.name in outdated:
                asset = f"{context.platform.name}/{plan.resource.name}"
                plan.outcome.error = f"{asset}: other runs keep loading it; {_MAX_ROUNDS} reads were in vain"
        record(context, session, landing, {name: found for name, found in rows.items() if name not in outdated})
    inspect(context, session, landing)
    return landing


def _outdated(
    plans: Sequence[Plan], buffered: Mapping[str, BufferedRows | None], session: WarehouseSession
) -> set[str]:
    """The resources that another run has landed since they were planned."""
    return {plan.resource.name for plan in plans if is_outdated(plan, buffered[plan.resource.name], session)}


def _plan(client: ApiClient, warehouse: Warehouse, selection: Selection) -> tuple[SyncContext, list[Plan]]:
    """The context of a round and its plans, once it is certain that the warehouse's rows are of the same account."""
    started = datetime.now(UTC)
    with agreed_session(client, warehouse) as (source, session):
        context = SyncContext(client, warehouse, selection, source, started)
        return context, Planner(context, session).plan_all()


def _log(platform: Platform, outcome: ResourceOutcome) -> None:
    asset = f"{platform.name}/{outcome.name}"
    if outcome.reset:
        log.warning("%s: read from the beginning: %s", asset, outcome.reset)
    if outcome.error:
        log.error("failed: %s", about(asset, outcome.error), extra=REPORTED)
        return
    log.info("%s: %d rows in table, %d new or changed", asset, outcome.rows_in_table, outcome.rows_loaded)
    if outcome.ignored:
        log.warning("%s: not read to its end: %s", asset, outcome.ignored)
    if outcome.incomplete_parents:
        names = ", ".join(outcome.incomplete_parents[:5])
        log.warning("%s: %d parents lack what the path needs: %s", asset, len(outcome.incomplete_parents), names)
    for key, why in outcome.failed_partitions.items():
        log.error("failed: %s", about(f"{asset}[{key}]", why), extra=REPORTED)
