"""How a new Dagster home is configured, and that somebody's own configuration stays."""

from pathlib import Path

import pytest
from dagster._core.run_coordinator import QueuedRunCoordinator

from platform_assets.cli.environment import DAGSTER_YAML, EARLIER_YAML, dagster_home, open_instance


@pytest.fixture
def config() -> Path:
    """The configuration of the home of this test."""
    return dagster_home() / "dagster.yaml"


def test_a_launched_run_is_looked_for_every_second(config: Path) -> None:
    """By default a run launched from the UI waits up to five seconds before anything happens."""
    with open_instance() as instance:
        coordinator = instance.run_coordinator
    assert isinstance(coordinator, QueuedRunCoordinator) and coordinator.dequeue_interval_seconds == 1
    assert config.read_text() == DAGSTER_YAML


@pytest.mark.parametrize("earlier", EARLIER_YAML)
def test_what_an_earlier_version_configured_is_brought_up_to_date(earlier: str, config: Path) -> None:
    config.write_text(earlier)
    dagster_home()
    assert config.read_text() == DAGSTER_YAML


def test_what_somebody_configured_stays(config: Path) -> None:
    config.write_text("telemetry:\n  enabled: false\n")
    dagster_home()
    assert config.read_text() == "telemetry:\n  enabled: false\n"
