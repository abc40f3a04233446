"""Which dbt models are older than what they are built from."""

from collections.abc import Iterable

import dagster as dg

MODEL_SCHEMAS = ("staging", "marts")
_RECORDS = 200


def stale_models(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, models: Iterable[dg.AssetKey], edited_at: float
) -> set[dg.AssetKey]:
    """Models never built, built before `edited_at` (a POSIX timestamp), or before a table above them changed.

    A load that found nothing new is no change. All that is downstream of a stale model is stale too.
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
    """Those of `models` all of whose tables were loaded, and all of whose models are built or among the rest."""
    found = set(models)

    def is_there(key: dg.AssetKey) -> bool:
        return key in found or instance.get_latest_materialization_event(key) is not None

    while lacking := {model for model in found if not all(map(is_there, ancestors(repository, model)))}:
        found -= lacking
    return found


def ancestors(repository: dg.RepositoryDefinition, model: dg.AssetKey) -> set[dg.AssetKey]:
    """All that a model is built from, tables that no asset of ours loads included."""
    return set(repository.asset_graph.get_ancestor_asset_keys(model)) - {model}


def _last_change(instance: dg.DagsterInstance, table: dg.AssetKey, since: float) -> float:
    """POSIX time of the last load since `since` that brought or removed rows, 0 without one.

    Where there were too many loads to look at all, the newest counts as one.
    """
    records = dg.AssetRecordsFilter(asset_key=table, after_timestamp=since)
    found = instance.fetch_materializations(records, limit=_RECORDS).records
    if len(found) == _RECORDS:
        return found[0].timestamp
    return max((record.timestamp for record in found if _has_changes(record.asset_materialization)), default=0.0)


def _has_changes(materialization: dg.AssetMaterialization | None) -> bool:
    if materialization is None:
        return False
    names = ("rows_loaded", "rows_removed", "table_created")
    return any(name in materialization.metadata and materialization.metadata[name].value for name in names)
