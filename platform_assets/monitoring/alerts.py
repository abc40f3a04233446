"""Alerts to a Slack-compatible JSON webhook: failed runs, stale assets. Off until `[alerts] webhook_url` is set."""

import json
import time
from collections.abc import Sequence

import dagster as dg
import requests

from platform_assets.configuration import ALERTS, WEBHOOK_URL, read
from platform_assets.configuration.freshness import too_late_after
from platform_assets.configuration.platform_settings import is_configured
from platform_assets.counted import counted
from platform_assets.declarations import Platform
from platform_assets.http.redaction import Redactor
from platform_assets.monitoring.event_log import last_load
from platform_assets.orchestration.translator import asset_key

OFF = "Off: ALERTS__WEBHOOK_URL is not set."
# Seconds to connect, and to wait for a response.
_TIMEOUT = 10.0


def webhook_url() -> str | None:
    """`[alerts] webhook_url` (`ALERTS__WEBHOOK_URL`), a secret: whoever has it can post."""
    return read(ALERTS, WEBHOOK_URL)


def post(url: str, text: str) -> None:
    """POST `{"text": ...}`. Raises RuntimeError, which does not quote the URL, if the webhook does not accept it."""
    try:
        response = requests.post(url, json={"text": text}, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise RuntimeError(f"the webhook cannot be reached ({type(error).__name__})") from None
    if not response.ok:
        raise RuntimeError(f"the webhook answered {response.status_code}")


@dg.run_failure_sensor(
    name="webhook_on_failure",
    default_status=dg.DefaultSensorStatus.RUNNING,
    monitor_all_code_locations=False,
    description="Posts every failed run to the webhook, with its reasons. Off until one is configured.",
)
def webhook_on_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Post a failed run, with the reasons of its failed steps."""
    url = webhook_url()
    if not url:
        return dg.SkipReason(OFF)
    reasons = [_reason(event) for event in context.get_step_failure_events()] or [context.failure_event.message or ""]
    text = f"{context.dagster_run.job_name} failed (run {context.dagster_run.run_id}):\n" + "\n".join(reasons)
    post(url, Redactor([url])(text))
    return None


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return data.error.message if data.error else f"step {event.step_key} failed"


def stale_alert_sensor(platforms: Sequence[Platform]) -> dg.SensorDefinition:
    """Posts once for each asset that is too late (see `too_late_after`), and once when it recovered."""

    @dg.sensor(
        name="webhook_on_stale_assets",
        minimum_interval_seconds=600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        target=None,
        description="Posts assets that became stale, or fresh again, to the webhook. Off until one is configured.",
    )
    def stale_assets(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        url = webhook_url()
        if not url:
            return dg.SkipReason(OFF)
        posted = set(json.loads(context.cursor or "[]"))
        stale = stale_assets_of(context.instance, platforms, time.time())
        lines = [f"stale: {name}, last loaded {age}" for name, age in stale.items() if name not in posted]
        lines += [f"fresh again: {name}" for name in sorted(posted - stale.keys())]
        if lines:
            post(url, "\n".join(lines))
        # Only after the post: if the webhook is unavailable, the next tick posts again.
        context.update_cursor(json.dumps(sorted(stale)))
        return dg.SkipReason(f"{counted(len(stale), 'stale asset')}; posted {counted(len(lines), 'change')}.")

    return stale_assets


def stale_assets_of(instance: dg.DagsterInstance, platforms: Sequence[Platform], now: float) -> dict[str, str]:
    """Age of each asset that is too late at `now` (POSIX seconds), of those configured and loaded at least once."""
    stale: dict[str, str] = {}
    for platform in platforms:
        for resource in platform.resources if is_configured(platform) else ():
            load = last_load(instance, asset_key(platform, resource.name))
            if load is not None and now - load.at > too_late_after(platform, resource).total_seconds():
                stale[f"{platform.name}/{resource.name}"] = f"{(now - load.at) / 3600:.1f} hours ago"
    return stale
