"""The next load detects a sensor that stopped ticking."""

import time

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin as Location
from dagster._core.remote_origin import RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster_shared.error import SerializableErrorInfo

from platform_assets.orchestration.heartbeat import LONGEST_SILENCE, find_heartbeat
from platform_assets.platforms import platform_named

CRM = platform_named("crm")


def ticked(instance: dg.DagsterInstance, age: float, status: TickStatus = TickStatus.SKIPPED) -> None:
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(Location("here"), "__repository__"), "crm_freshness")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    instance.add_instigator_state(state)
    error = SerializableErrorInfo("down", [], None) if status is TickStatus.FAILURE else None
    instance.create_tick(
        TickData(
            origin.get_id(),
            "crm_freshness",
            InstigatorType.SENSOR,
            status,
            time.time() - age,
            selector_id=state.selector_id,
            error=error,
        )
    )


def test_an_instance_without_a_daemon_passes_the_heartbeat_check() -> None:
    with dg.instance_for_test() as instance:
        assert find_heartbeat(instance, CRM)[0]


@pytest.mark.parametrize(
    ("age", "status", "passed", "expected"),
    [
        (10, TickStatus.SKIPPED, True, "ticks"),
        (LONGEST_SILENCE + 10, TickStatus.STARTED, False, "minutes ago"),
        (10, TickStatus.FAILURE, False, "failed"),
    ],
    ids=["ticks", "stopped", "fails"],
)
def test_the_heartbeat_check_uses_the_last_tick(age: float, status: TickStatus, passed: bool, expected: str) -> None:
    with dg.instance_for_test() as instance:
        ticked(instance, age, status)
        found, description, _ = find_heartbeat(instance, CRM)
        assert found is passed and expected in description
