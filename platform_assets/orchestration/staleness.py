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
    stale = {model for model in chosen if _is_stale(instance, repository, model, edited_at)}
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


def _is_stale(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, model: dg.AssetKey, edited_at: float
) -> bool:
    event = instance.get_latest_materialization_event(model)
    if event is None or event.timestamp < edited_at:
        return True
    tables = (key for key in ancestors(repository, model) if key.path[0] not in MODEL_SCHEMAS)
    return any(_changed_since(instance, table, event.timestamp) for table in tables)


def _changed_since(instance: dg.DagsterInstance, table: dg.AssetKey, moment: float) -> bool:
    """Whether a load since then brought or removed rows; assumed where there were too many loads to look at."""
    records = dg.AssetRecordsFilter(asset_key=table, after_timestamp=moment)
    found = instance.fetch_materializations(records, limit=_RECORDS).records
    if len(found) == _RECORDS:
        return True
    return any(_has_changes(record.asset_materialization) for record in found)


def _has_changes(materialization: dg.AssetMaterialization | None) -> bool:
    if materialization is None:
        return False
    names = ("rows_loaded", "rows_removed", "table_created")
    return any(name in materialization.metadata and materialization.metadata[name].value for name in names)
