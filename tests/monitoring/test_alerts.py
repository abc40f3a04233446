"""The webhook gets failed runs and stale assets, once each, and nothing if it is not configured."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from platform_assets.cli.environment import open_instance
from platform_assets.monitoring.alerts import OFF, stale_alert_sensor, webhook_on_failure
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import Fault, SandboxServer
from tests.cli.command import warm_command
from tests.cli.test_dev import dev
from tests.servers.http_server import HttpServer, Reply, Request
from tests.settings import PointAt, sandbox_settings

ROLES = dg.AssetKey(["device_management", "roles"])


class Webhook(HttpServer):
    """Records posts, and rejects them unless `status` is 200."""

    def __init__(self) -> None:
        super().__init__(self._receive)
        self.texts: list[str] = []
        self.status = 200

    def _receive(self, request: Request) -> Reply:
        if self.status == 200:
            self.texts.append(json.loads(request.content)["text"])
        return Reply(b"", self.status)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with Webhook() as server:
        monkeypatch.setenv("ALERTS__WEBHOOK_URL", f"{server.url}/services/secret-path")
        yield server


def failed_run(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance) -> dg.RunFailureSensorContext:
    result = repository.get_job("sync_device_management").execute_in_process(
        instance=instance, asset_selection=[ROLES], raise_on_error=False
    )
    assert not result.success
    run = instance.get_run_by_id(result.run_id)
    event = next(event for event in result.all_events if event.event_type is dg.DagsterEventType.RUN_FAILURE)
    assert run is not None
    status = dg.build_run_status_sensor_context(
        sensor_name="webhook_on_failure", dagster_event=event, dagster_instance=instance, dagster_run=run
    )
    return status.for_run_failure()


def test_a_failed_run_is_reported_with_its_reasons(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt, webhook: Webhook
) -> None:
    with SandboxServer(faults=[Fault("/v2/roles", status=404, times=None)]) as server:
        point_at(server)
        webhook_on_failure(failed_run(repository, instance))
        (text,) = webhook.texts
        assert "sync_device_management failed" in text and "device_management/roles" in text and "404" in text
        assert server.token("device_management") not in text


@pytest.mark.slow
def test_a_failed_sync_from_the_command_line_reaches_the_webhook_once_by_the_daemon(
    webhook: Webhook, warehouse_file: Path
) -> None:
    """A sync that then succeeds posts nothing: only assets that were too late are reported as fresh again."""
    fault = Fault("/v2/roles", status=404, times=None)
    args = ("sync", "--select", "device_management/roles", "--no-models")
    with SandboxServer(faults=[fault]) as server:
        env = {name: value for name, value in sandbox_settings(server).items() if "DEVICE_MANAGEMENT" in name}
        with dev("--no-sandbox", env=env), open_instance() as instance:
            # What failed before its first tick is not reported.
            ticked = next_tick(instance)
            failed = warm_command(*args, env=env)
            assert failed.returncode == 1, failed.stderr
            # The sensor of models may have asked for a `sync_all` of its own, of models.
            runs = [run for run in instance.get_runs() if run.job_name == "sync_all"]
            (run,) = [run for run in runs if ROLES in (run.asset_selection or ())]
            assert run.status is dg.DagsterRunStatus.FAILURE
            ticked = next_tick(instance, next_tick(instance, ticked))
            server.faults.clear()
            succeeded = warm_command(*args, env=env)
            assert succeeded.returncode == 0, succeeded.stderr
            next_tick(instance, next_tick(instance, ticked))
        # The sensors may have asked for runs of their own meanwhile.
        (text,) = [text for text in webhook.texts if text.startswith("sync_all ")]
        assert text.startswith(f"sync_all failed (run {run.run_id}):\ndevice_management/roles: GET /v2/roles")
        assert server.token("device_management") not in text


def next_tick(instance: dg.DagsterInstance, after: float = 0.0) -> float:
    """Wait until the daemon has ended a tick of the sensor of failed runs later than `after`; when it began."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        for state in instance.all_instigator_state():
            if state.instigator_name == "webhook_on_failure":
                ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=5)
                ended = [tick.timestamp for tick in ticks if tick.status is not TickStatus.STARTED]
                if ended and max(ended) > after:
                    return max(ended)
        time.sleep(0.5)
    raise AssertionError("the daemon does not evaluate the sensor")


def test_nothing_is_posted_while_no_webhook_is_configured(
    repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, point_at: PointAt
) -> None:
    with SandboxServer(faults=[Fault("/v2/roles", status=404, times=None)]) as server:
        point_at(server)
        found = webhook_on_failure(failed_run(repository, instance))
        assert isinstance(found, dg.SkipReason) and found.skip_message == OFF


def test_a_stale_asset_is_reported_once_and_again_on_recovery(
    instance: dg.DagsterInstance, point_at: PointAt, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SandboxServer() as server:
        point_at(server)
        instance.report_runless_asset_event(dg.AssetMaterialization(ROLES))
        real = time.time
        cursor: str | None = None

        def tick() -> str | None:
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            stale_alert_sensor(all_platforms())(context)
            return context.cursor

        cursor = tick()
        assert webhook.texts == []
        monkeypatch.setattr(time, "time", lambda: real() + 60 * 3600)
        webhook.status = 500
        with pytest.raises(RuntimeError, match="answered 500") as raised:
            tick()
        assert "secret-path" not in str(raised.value)
        webhook.status = 200
        cursor = tick()
        cursor = tick()
        assert len(webhook.texts) == 1 and "stale: device_management/roles" in webhook.texts[0]
        monkeypatch.setattr(time, "time", real)
        cursor = tick()
        assert webhook.texts[1:] == ["fresh again: device_management/roles"]
