"""Which dbt models must be built: the one place that answers it, for the daemon and for `platform-assets sync`.

The rule: build a model if anything it reads changed since the model was built, and if everything it reads exists. The
rule is written twice, because the two callers know different things:

- The daemon evaluates `build_condition` every minute and remembers what it saw at the last tick.
- The command has no memory between two calls. `models_to_build` reads the event log instead. It also knows which rows a
  load brought, so it leaves out loads that found nothing new (the daemon rebuilds after those, too), and it counts an
  edited SQL file as a change.

Why not data versions (`MaterializeResult(data_version=...)` with `AutomationCondition.data_version_changed()`), which
would make both one: the daemon's half would be short, but the command would have to compare recorded versions itself,
with `CachingStaleStatusResolver`, which is private to Dagster and which ignores a dependency on 100 or more partitions
(`SKIP_PARTITION_DATA_VERSION_DEPENDENCY_THRESHOLD`), such as a model below a hundred organizations has. And a version
must stay the same when a load brings nothing, so that each load would have to look up the previous version of each
partition.
"""

from collections.abc import Iterable, Set
from typing import Any

import dagster as dg

from platform_assets.dbt import MODEL_SCHEMAS
from platform_assets.dbt.project import edited_at
from platform_assets.warehouse import LOG_TABLE

# Loads of one table that are looked at; after more than these the newest load counts as a change.
_MOST_LOADS = 200


def build_condition() -> dg.AutomationCondition[Any]:
    """The daemon's half of the rule: anything the model reads was loaded, and all of it exists.

    One loaded partition is enough for a partitioned table to exist. Dagster's `eager()` alone would wait indefinitely
    for a partition that was never loaded, such as a parent that the API refuses.
    """
    exists = ~dg.AutomationCondition.missing() | dg.AutomationCondition.will_be_requested()
    eager = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
    return eager & dg.AutomationCondition.all_deps_match(exists)


def models_to_build(
    instance: dg.DagsterInstance,
    repository: dg.RepositoryDefinition,
    tables: Set[dg.AssetKey],
    landed: Set[dg.AssetKey],
) -> set[dg.AssetKey]:
    """The command's half of the rule, for the models below `tables` after a sync of these.

    `landed` are those of `tables` that the sync loaded without a failure; a model above which one failed is left out.
    """
    stale = stale_models(instance, repository, _models_below(repository, tables), edited_at())
    complete = {model for model in stale if ancestors(repository, model) & tables <= landed}
    return buildable(instance, repository, complete)


def stale_models(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, models: Iterable[dg.AssetKey], edited_at: float
) -> set[dg.AssetKey]:
    """Models never built, built before `edited_at` (POSIX seconds), or before a table above them changed.

    A load that found nothing new is not a change. Whatever is downstream of a stale model is stale as well.
    """
    chosen = set(models)
    built = instance.event_log_storage.get_latest_materialization_events(sorted(chosen))
    times = {model: event.timestamp for model, event in built.items() if event is not None}
    oldest = min(times.values(), default=0.0)
    above = {model: ancestors(repository, model) for model in chosen}
    tables = {key for keys in above.values() for key in keys if key.path[0] not in MODEL_SCHEMAS}
    changed = {table: _last_change(instance, table, oldest) for table in sorted(tables)}
    stale = {
        model
        for model in chosen
        if times.get(model, 0.0) < max(edited_at, *(changed.get(key, 0.0) for key in above[model]), 1.0)
    }
    if not stale:
        return stale
    below = dg.AssetSelection.assets(*stale).downstream().resolve(repository.asset_graph)
    return chosen & below


def buildable(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, models: Iterable[dg.AssetKey]
) -> set[dg.AssetKey]:
    """Those of `models` whose tables were all loaded, and whose models are all built or part of the result."""
    chosen = set(models)

    def exists(key: dg.AssetKey) -> bool:
        return key in chosen or instance.get_latest_materialization_event(key) is not None

    while incomplete := {model for model in chosen if not all(map(exists, ancestors(repository, model)))}:
        chosen -= incomplete
    return chosen


def ancestors(repository: dg.RepositoryDefinition, model: dg.AssetKey) -> set[dg.AssetKey]:
    """All that a model is built from, tables that no asset of this project loads included."""
    return set(repository.asset_graph.get_ancestor_asset_keys(model)) - {model}


def _models_below(repository: dg.RepositoryDefinition, tables: Set[dg.AssetKey]) -> set[dg.AssetKey]:
    """dbt models downstream of the tables, and of the sync logs that loading these tables writes."""
    graph = repository.asset_graph
    below = set(dg.AssetSelection.assets(*tables).downstream(include_self=False).resolve(graph))
    for platform in {key.path[0] for key in tables}:
        below |= graph.get(dg.AssetKey([platform, LOG_TABLE])).child_keys
    return {key for key in below if key.path[0] in MODEL_SCHEMAS}


def _last_change(instance: dg.DagsterInstance, table: dg.AssetKey, since: float) -> float:
    """POSIX time of the last load after `since` that brought or removed rows, 0 without one.

    If there were too many loads to look at all of them, the newest counts as a change.
    """
    records = dg.AssetRecordsFilter(asset_key=table, after_timestamp=since)
    loads = instance.fetch_materializations(records, limit=_MOST_LOADS).records
    if len(loads) == _MOST_LOADS:
        return loads[0].timestamp
    return max((load.timestamp for load in loads if _has_changes(load.asset_materialization)), default=0.0)


def _has_changes(materialization: dg.AssetMaterialization | None) -> bool:
    if materialization is None:
        return False
    names = ("rows_loaded", "rows_removed", "table_created")
    return any(name in materialization.metadata and materialization.metadata[name].value for name in names)
