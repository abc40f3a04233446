"""The sensor that builds the dbt models which are stale by the rule of `dbt/stale_models.py`.

The rule says what is stale and can be built. The sensor decides when to request it: not while a run in flight builds
it, not while tables above it are being loaded (for a bounded time), and not again for the same tables and SQL until a
backoff has passed, because the build that was requested for them has failed.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import dagster as dg

from platform_assets.dbt.stale_models import ModelHistory, Stale, all_models
from platform_assets.orchestration.in_flight import assets_in_flight
from platform_assets.orchestration.jobs import SYNC_ALL

# Seconds that a stale model waits for tables in flight. Tables that are always loading must not keep it stale.
LONGEST_WAIT = 900.0
# Seconds before a model that is stale for the same reason as before is requested again; doubled each time.
FIRST_BACKOFF = 3600.0
LONGEST_BACKOFF = 86_400.0
# Models that are named for one reason.
_LISTED = 10


@dataclass
class Request:
    """The last request of a model that is still stale.

    Attributes:
        state: of the model when it was requested (see `Stale`).
        times: how often it was requested for that state.
        again_at: POSIX seconds before which it is not requested for that state.
    """

    state: str
    times: int
    again_at: float


@dataclass
class Memory:
    """What the sensor remembers between ticks; becomes JSON in its cursor. Models are named as in the UI.

    Attributes:
        position: of the event log and the SQL at the last tick.
        requested: model -> its last request.
        waiting: model that is due and could not be requested -> POSIX seconds since when.
    """

    position: str = ""
    requested: dict[str, Request] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """From a cursor. Of an earlier version, which was an automation condition sensor, nothing is kept."""
        try:
            stored: Any = json.loads(cursor or "{}")
            requested = {name: Request(**request) for name, request in stored.get("requested", {}).items()}
            return cls(stored.get("position", ""), requested, stored.get("waiting", {}))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def stored(self) -> str:
        """The cursor."""
        return json.dumps(asdict(self))

    def is_settled(self, now: float) -> bool:
        """Whether nothing is to be done until the position changes."""
        return not self.waiting and all(request.again_at > now for request in self.requested.values())


def models_sensor() -> dg.SensorDefinition:
    """Requests one run of the dbt models that are stale and can be built; says in words why it does not."""

    @dg.sensor(
        name="models_follow_tables",
        job_name=SYNC_ALL,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds the dbt models whose tables changed or whose SQL was edited.",
    )
    def models(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        assert context.repository_def is not None
        history = ModelHistory(context.instance, context.repository_def, all_models(context.repository_def))
        memory = Memory.of(context.cursor)
        if memory.position == history.position and memory.is_settled(time.time()):
            return dg.SkipReason("Nothing was loaded, built or edited since the last tick.")
        tick = _Tick(history, memory, time.time())
        if tick.due:
            tick.hold(assets_in_flight(context.instance, context.repository_def))
        for line in reasons(tick.ready):
            context.log.info(line)
        return tick.result()

    return models


class _Tick:
    """One tick of the sensor that may request something."""

    def __init__(self, history: ModelHistory, memory: Memory, now: float) -> None:
        self._history = history
        self._memory = memory
        self._now = now
        # What is stale, can be built, and was not just requested; and those of them that are requested now.
        self.due = {model: stale for model, stale in history.to_build().items() if not self._backs_off(model, stale)}
        self.ready = dict(self.due)
        self._waiting: set[dg.AssetKey] = set()
        self._reasons: list[str] = []

    def hold(self, in_flight: set[dg.AssetKey]) -> None:
        """Keep back what runs in flight build, or are about to change."""
        building = {model for model in self.due if in_flight & {model, *self._history.models_above(model)}}
        tables = {model: in_flight & self._history.tables_above(model) for model in self.due.keys() - building}
        loading = {model for model, above in tables.items() if above and not self._waited_enough(model)}
        for reason, held in (("a run in flight builds", building), ("tables are being loaded above", loading)):
            if held:
                self._reasons.append(f"{reason}: {_listed(held)}")
        # What is left may need a model that was never built and is kept back.
        ready = self._history.buildable(self.due.keys() - building - loading)
        self.ready = {model: stale for model, stale in self.due.items() if model in ready}
        self._waiting = self.due.keys() - ready if building or loading else set()

    def result(self) -> dg.SensorResult:
        """A run of what is ready; without any, the reasons why nothing is."""
        names = {model.to_user_string(): stale for model, stale in self._history.stale.items()}
        requested = {name: request for name, request in self._memory.requested.items() if name in names}
        backing_off = [model for model in self._history.to_build() if model not in self.due]
        if backing_off:
            self._reasons.append(f"requested before for the same tables and SQL: {_listed(backing_off)}")
        incomplete = self._history.stale.keys() - self._history.to_build().keys()
        if incomplete:
            self._reasons.append(f"a table above was never loaded: {_listed(incomplete)}")
        for model, stale in self.ready.items():
            requested[model.to_user_string()] = self._request(model, stale)
        waiting = {model.to_user_string(): self._since(model) for model in self._waiting}
        runs = [dg.RunRequest(job_name=SYNC_ALL, asset_selection=sorted(self.ready))] if self.ready else []
        return dg.SensorResult(
            run_requests=runs,
            skip_reason=None if runs else dg.SkipReason("; ".join(self._reasons) or "Every model is up to date."),
            cursor=Memory(self._history.position, requested, waiting).stored(),
        )

    def _backs_off(self, model: dg.AssetKey, stale: Stale) -> bool:
        """Whether the model was requested for the same state, not long ago."""
        last = self._memory.requested.get(model.to_user_string())
        return last is not None and last.state == stale.state and last.again_at > self._now

    def _request(self, model: dg.AssetKey, stale: Stale) -> Request:
        last = self._memory.requested.get(model.to_user_string())
        times = last.times + 1 if last is not None and last.state == stale.state else 1
        return Request(stale.state, times, self._now + min(FIRST_BACKOFF * 2 ** (times - 1), LONGEST_BACKOFF))

    def _since(self, model: dg.AssetKey) -> float:
        return self._memory.waiting.get(model.to_user_string(), self._now)

    def _waited_enough(self, model: dg.AssetKey) -> bool:
        return self._now - self._since(model) >= LONGEST_WAIT


def _listed(models: Iterable[dg.AssetKey]) -> str:
    """Names, the first few of many."""
    names = sorted(model.to_user_string() for model in models)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def reasons(ready: Mapping[dg.AssetKey, Stale]) -> Iterator[str]:
    """Why models are built, a line for each reason, with its models."""
    models: defaultdict[str, list[str]] = defaultdict(list)
    for model, stale in ready.items():
        models[stale.reason].append(model.to_user_string())
    for reason, names in models.items():
        shown = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
        yield f"{reason} ({len(names)}): {shown}" if len(names) > 1 else f"{names[0]}: {reason}"
