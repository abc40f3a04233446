"""Runs of `sync_all` in this process, in the order in which `platform-assets sync` needs them."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

import dagster as dg

from platform_assets.cancellation import current
from platform_assets.orchestration.jobs import SYNC_ALL
from platform_assets.orchestration.partitions import partition_tags
from platform_assets.orchestration.sync_config import SyncConfig
from platform_assets.patches.run_origin import runs_of_location

# The code location of `platform-assets dev`, which names it by the module.
_LOCATION = "platform_assets.definitions"


class InProcessRuns:
    """Runs on one instance, which share a config.

    `record` is called after each run with its events, and with the seconds of each step.
    """

    def __init__(
        self,
        repository: dg.RepositoryDefinition,
        instance: dg.DagsterInstance,
        config: SyncConfig,
        record: Callable[[Iterable[dg.DagsterEvent], Mapping[str, float]], None],
    ) -> None:
        self._repository = repository
        self._instance = instance
        self._config = config
        self._record = record

    def load(self, tables: Set[dg.AssetKey]) -> None:
        """Load the tables, then, in a second run, those that the first run skipped.

        Dagster skips everything below a failed op, but an op loads many tables of which one may have failed, and a
        child reads the parents that the warehouse already has. Begins no second run once the command was cancelled.
        """
        op_config = {"config": self._config.model_dump()}
        started = self._run(tables, {self._op_of(table): op_config for table in tables})
        skipped = {table for table in tables if self._op_of(table) not in started}
        if skipped and not current().cancelled:
            self._run(skipped, {self._op_of(table): op_config for table in skipped})

    def build(self, models: Set[dg.AssetKey]) -> None:
        """Build the dbt models in one run; without any, do nothing."""
        if models:
            self._run(models, {})

    def _run(self, keys: Set[dg.AssetKey], ops: Mapping[str, Any]) -> set[str]:
        """Run the assets; the names of the ops that started."""
        with runs_of_location(self._instance, self._repository.name, _LOCATION):
            result = self._repository.get_job(SYNC_ALL).execute_in_process(
                run_config={"ops": ops, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                asset_selection=list(keys),
                tags=partition_tags(self._config.partitions),
                instance=self._instance,
                raise_on_error=False,
            )
        # The event of a failed step does not say how long it took.
        steps = self._instance.get_run_step_stats(result.run_id)
        seconds = {one.step_key: one.end_time - one.start_time for one in steps if one.start_time and one.end_time}
        self._record(result.all_events, seconds)
        return {str(event.step_key) for event in result.all_events if event.is_step_start}

    def _op_of(self, key: dg.AssetKey) -> str:
        return self._repository.assets_defs_by_key[key].op.name
