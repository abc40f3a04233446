"""Which dbt models must be built: the one rule, asked by the sensor `models_follow_tables` and `platform-assets sync`.

A model is stale if it was never built, if its SQL was edited since, if a table above it changed since, or if a model
above it is stale or was built since. A load that found nothing new is no change. A stale model can be built if every
table above it was loaded once (of a partitioned one, any partition) and every model above it was built, or is built in
the same run.

Everything is read from Dagster's event log. Each build records two facts there (see `build_metadata`): when it began
to read the tables, because rows that land while it runs may be missing from it, and which SQL it ran.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import dagster as dg

from platform_assets.dbt import MODEL_SCHEMAS
from platform_assets.dbt.last_changes import LastChanges
from platform_assets.dbt.project import model_versions
from platform_assets.warehouse import LOG_TABLE

# Metadata of a built model.
READ_AT = "tables_read_at"
SQL_VERSION = "sql_version"


@dataclass(frozen=True)
class Stale:
    """Why a model must be built.

    Attributes:
        reason: in words.
        state: digest of what it would be built from. It changes when a table above it changes or SQL is edited.
    """

    reason: str
    state: str


@dataclass(frozen=True)
class _Build:
    """The last build of a model: when it began to read (POSIX seconds), and which SQL it ran, None if unknown."""

    read_at: float
    sql_version: str | None

    @classmethod
    def of(cls, event: dg.EventLogEntry) -> Self:
        materialization = event.asset_materialization
        metadata = materialization.metadata if materialization else {}
        read_at: Any = metadata[READ_AT].value if READ_AT in metadata else event.timestamp
        version = metadata[SQL_VERSION].value if SQL_VERSION in metadata else None
        return cls(float(read_at), None if version is None else str(version))


def build_metadata(model: str, read_at: float, versions: Mapping[str, str]) -> dict[str, Any]:
    """What a build has to record of a model, so that it can be told later whether the model is stale.

    Args:
        model: the model's name.
        read_at: POSIX time at which no table had been read yet.
        versions: of the SQL, as `model_versions` returned them before it was read.
    """
    metadata: dict[str, Any] = {READ_AT: dg.MetadataValue.timestamp(datetime.fromtimestamp(read_at, UTC))}
    return {**metadata, SQL_VERSION: versions[model]} if model in versions else metadata


def all_models(repository: dg.RepositoryDefinition) -> set[dg.AssetKey]:
    """Every dbt model."""
    return {key for key in repository.asset_graph.materializable_asset_keys if key.path[0] in MODEL_SCHEMAS}


def models_below(repository: dg.RepositoryDefinition, tables: Set[dg.AssetKey]) -> set[dg.AssetKey]:
    """dbt models downstream of the tables, and of the sync logs that loading these tables writes."""
    graph = repository.asset_graph
    below = set(dg.AssetSelection.assets(*tables).downstream(include_self=False).resolve(graph))
    for platform in {key.path[0] for key in tables}:
        below |= graph.get(dg.AssetKey([platform, LOG_TABLE])).child_keys
    return {key for key in below if key.path[0] in MODEL_SCHEMAS}


def models_to_build(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, models: Iterable[dg.AssetKey]
) -> dict[dg.AssetKey, Stale]:
    """Those of `models` that are stale and can be built."""
    return ModelHistory(instance, repository, models).to_build()


class ModelHistory:
    """Some models and everything above them, with what the event log has of each at the time of construction."""

    def __init__(
        self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, models: Iterable[dg.AssetKey]
    ) -> None:
        self._instance = instance
        graph = repository.asset_graph
        above = {model: _above(repository, model) for model in models}
        # Model -> all it is built from; parents before children.
        self._above = {model: above[model] for model in sorted(above, key=lambda key: (len(above[key]), key))}
        self._parents = {model: graph.get(model).parent_keys for model in above}
        keys = set(above).union(*above.values())
        events = instance.event_log_storage.get_latest_materialization_events(sorted(keys))
        self._latest = {key: event for key, event in events.items() if event is not None}
        self._versions = model_versions()

    @cached_property
    def position(self) -> str:
        """Digest that changes when anything was loaded, built or edited."""
        events = (f"{key.to_user_string()}@{event.timestamp}" for key, event in sorted(self._latest.items()))
        return _digest([*events, *(f"{name}={version}" for name, version in sorted(self._versions.items()))])

    def tables_above(self, model: dg.AssetKey) -> set[dg.AssetKey]:
        """Tables that the model is built from, directly or through other models."""
        return {key for key in self._above[model] if not _is_model(key)}

    def models_above(self, model: dg.AssetKey) -> set[dg.AssetKey]:
        """Models that the model is built from, directly or through other models."""
        return {key for key in self._above[model] if _is_model(key)}

    def to_build(self) -> dict[dg.AssetKey, Stale]:
        """The models that are stale and can be built."""
        can_be_built = self.buildable(self.stale)
        return {model: stale for model, stale in self.stale.items() if model in can_be_built}

    def buildable(self, models: Iterable[dg.AssetKey]) -> set[dg.AssetKey]:
        """Those of `models` whose tables were all loaded, and whose models are all built or part of the result.

        Of the logs of syncs one is enough: a platform that is not in use has none.
        """
        chosen = set(models)
        while incomplete := {model for model in chosen if not self._is_complete(model, chosen | self._latest.keys())}:
            chosen -= incomplete
        return chosen

    def _is_complete(self, model: dg.AssetKey, existing: Set[dg.AssetKey]) -> bool:
        logs = {key for key in self._above[model] if key.path[-1] == LOG_TABLE}
        return self._above[model] - logs <= existing and (not logs or bool(logs & existing))

    @cached_property
    def stale(self) -> dict[dg.AssetKey, Stale]:
        """The models that are stale, whether or not they can be built."""
        found: dict[dg.AssetKey, Stale] = {}
        for model in self._above:
            reason = next(self._reasons(model, found), None)
            if reason is not None:
                found[model] = Stale(reason, self._state(model))
        return found

    def _reasons(self, model: dg.AssetKey, stale: Mapping[dg.AssetKey, Stale]) -> Iterator[str]:
        """Why the model is stale; `stale` has the models above it that are."""
        build = self._builds.get(model)
        if build is None:
            yield "it was never built"
            return
        version = self._version(model)
        if version is not None and version != build.sql_version:
            yield "its SQL, a macro or dbt_project.yml was edited"
        if changed := self._changed_since(model, build):
            yield f"changed: {_names(changed)}"
        parents = self._parents[model]
        if above := parents & stale.keys():
            yield f"stale: {_names(above)}"
        if built := {key for key in parents & self._builds.keys() if self._builds[key].read_at > build.read_at}:
            yield f"built since: {_names(built)}"

    def _state(self, model: dg.AssetKey) -> str:
        """Not made of when models above were built: a run that builds these and fails at this one changes nothing."""
        changes = self._changed_since(model, self._builds.get(model))
        sql = {key.to_user_string(): self._version(key) for key in {model, *self.models_above(model)}}
        tables = (f"{table.to_user_string()}@{at}" for table, at in sorted(changes.items()))
        return _digest([*tables, *(f"{name}={version}" for name, version in sorted(sql.items()))])

    def _changed_since(self, model: dg.AssetKey, build: _Build | None) -> dict[dg.AssetKey, float]:
        """Tables above the model that changed since the build, with the POSIX time of their last change."""
        since = build.read_at if build else 0.0
        changes = {table: self._changes.get(table, 0.0) for table in self.tables_above(model)}
        return {table: at for table, at in changes.items() if at > since}

    def _version(self, model: dg.AssetKey) -> str | None:
        return self._versions.get(model.path[-1])

    @cached_property
    def _builds(self) -> dict[dg.AssetKey, _Build]:
        return {key: _Build.of(event) for key, event in self._latest.items() if _is_model(key)}

    @cached_property
    def _changes(self) -> dict[dg.AssetKey, float]:
        """POSIX time of each table's last change, of those that changed since the oldest build below them."""
        oldest: dict[dg.AssetKey, float] = {}
        for model in self._above:
            read_at = self._builds[model].read_at if model in self._builds else 0.0
            for table in self.tables_above(model) & self._latest.keys():
                oldest[table] = min(read_at, oldest.get(table, read_at))
        return LastChanges(self._instance, self._latest).since(oldest)


def _above(repository: dg.RepositoryDefinition, model: dg.AssetKey) -> set[dg.AssetKey]:
    """Models and tables that a model is built from, tables that no asset of this project loads included.

    Not the parents of a child's table: it changes when the child is loaded, not when they are.
    """
    parents = set(repository.asset_graph.get(model).parent_keys)
    return parents.union(*(_above(repository, parent) for parent in parents if _is_model(parent)))


def _is_model(key: dg.AssetKey) -> bool:
    return key.path[0] in MODEL_SCHEMAS


def _names(keys: Iterable[dg.AssetKey]) -> str:
    return ", ".join(sorted(key.to_user_string() for key in keys))


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()
