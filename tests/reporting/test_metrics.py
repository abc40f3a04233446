"""The metrics are what the warehouse's log and state say, in Prometheus's format, and alerts on them work."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from platform_assets.platforms import platform_named
from platform_assets.reporting import metrics
from platform_assets.sandbox import SandboxServer
from platform_assets.warehouse import WarehouseError
from platform_assets.warehouse.location import exclusive
from tests.cli.command import MAIN, ROOT, command, warm_command
from tests.conftest import Sync
from tests.servers.stub_api import StubApi, listed
from tests.settings import Point, PointAt, sandbox_settings
from tests.sync.records import ROLES

DEVICES = [platform_named("device_management")]
Samples = Mapping[tuple[str, str, str], float]


def parsed(text: bytes) -> Samples:
    """Sample -> value, by (name, resource, status)."""
    return {
        (sample.name, sample.labels.get("resource", ""), sample.labels.get("status", "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def one(samples: Samples, name: str, resource: str, status: str = "") -> float:
    return samples[f"platform_assets_{name}", resource, status]


def test_counters_are_the_sums_of_the_log_and_gauges_the_state(
    shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync, warehouse_file: Path
) -> None:
    point_at(shared_sandbox)
    name = "error_tracking"
    for _ in range(2):
        sync_platform(name)
    platform = platform_named(name)
    found = parsed(metrics.metrics_text([platform]))
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        for resource in (resource.name for resource in platform.resources):
            (row,) = connection.execute(
                "SELECT sum(reads), sum(requests), sum(rows_read), sum(rows_loaded), sum(rows_removed), sum(retries),"
                f" count(*), epoch(max(ended_at)) FROM {name}._sync_log WHERE resource = ?",
                [resource],
            ).fetchall()
            counted = ("reads", "requests", "rows_read", "rows_loaded", "rows_removed", "retries")
            assert [one(found, f"{what}_total", resource) for what in counted] == list(row[:6])
            assert one(found, "syncs_total", resource, "ok") == row[6] == 2
            assert one(found, "syncs_total", resource, "failed") == 0
            for gauge in ("last_success_timestamp_seconds", "last_load_timestamp_seconds"):
                assert one(found, gauge, resource) == pytest.approx(row[7], abs=1e-3)
            (rows,) = connection.execute(f"SELECT count(*) FROM {name}.{resource}").fetchall()
            assert one(found, "table_rows", resource) == rows[0]
        (newest,) = connection.execute(
            f"SELECT epoch(max(cursor_value)) FROM {name}._sync_state WHERE resource = 'events'"
        ).fetchall()
    assert one(found, "cursor_lag_seconds", "events") == pytest.approx(time.time() - newest[0], abs=60)
    assert ("platform_assets_cursor_lag_seconds", "projects", "") not in found


@pytest.fixture
def api() -> Iterator[StubApi]:
    with StubApi() as server:
        yield server


def test_a_failure_counts_and_the_last_success_stays(api: StubApi, point: Point, sync_platform: Sync) -> None:
    point("device_management", api.url)
    api.routes[ROLES] = listed([{"id": 1}])
    sync_platform("device_management", ["roles"])
    before = parsed(metrics.metrics_text(DEVICES))
    del api.routes[ROLES]
    assert not sync_platform("device_management", ["roles"])["roles"].ok
    after = parsed(metrics.metrics_text(DEVICES))
    assert one(before, "syncs_total", "roles", "failed") == 0
    assert one(after, "syncs_total", "roles", "failed") == one(after, "failed_reads_total", "roles") == 1
    assert (one(before, "parents_failed", "roles"), one(after, "parents_failed", "roles")) == (0, 1)
    for name in ("last_success_timestamp_seconds", "last_load_timestamp_seconds"):
        assert one(after, name, "roles") == one(before, name, "roles")
    # A resource that nobody loaded has counters from 0 on, and no time of a load.
    assert one(after, "syncs_total", "groups", "ok") == 0
    assert ("platform_assets_last_load_timestamp_seconds", "groups", "") not in after
    counters = [key for key in before if key[0].endswith("_total")]
    assert counters and all(after[key] >= before[key] for key in counters)


def test_names_and_labels_are_prometheuss_and_few(
    shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform("device_management", ["roles"])
    text = metrics.metrics_text(DEVICES).decode()
    families = list(text_string_to_metric_families(text))
    assert {label for family in families for sample in family.samples for label in sample.labels} == {
        "platform",
        "resource",
        "status",
    }
    for family in families:
        assert family.documentation.endswith(".") and family.type in ("counter", "gauge")
        assert re.fullmatch(r"platform_assets_[a-z_]+", family.name)
        assert all(sample.name.endswith("_total") == (family.type == "counter") for sample in family.samples)


def test_a_scrape_while_another_process_writes_gives_the_last_values(
    shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(shared_sandbox)
    sync_platform("device_management", ["roles"])
    monkeypatch.setattr(metrics, "WAIT", 0.2)
    kept = metrics.registry(DEVICES, keep=True)
    free = parsed(generate_latest(kept))
    with exclusive("device_management"):
        held = parsed(generate_latest(kept))
        with pytest.raises(WarehouseError, match="another process kept"):
            metrics.metrics_text(DEVICES)
    readable = ("platform_assets_warehouse_readable", "", "")
    assert (free[readable], held[readable], parsed(generate_latest(kept))[readable]) == (1, 0, 1)
    name = ("platform_assets_rows_loaded_total", "roles", "")
    assert held[name] == free[name] > 0


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Settings of a warehouse that a sync with the setting `[metrics] file` has loaded."""
    folder = tmp_path_factory.mktemp("metrics")
    with SandboxServer() as server:
        settings = {
            **sandbox_settings(server),
            "DESTINATION__DUCKDB__CREDENTIALS": str(folder / "warehouse.duckdb"),
            "DAGSTER_HOME": str(folder / "home"),
            "METRICS__FILE": str(folder / "node" / "sync.prom"),
        }
        done = warm_command("sync", "--no-models", "--select", "load_testing/organizations", env=settings)
    assert done.returncode == 0, done.stderr
    return settings


def test_a_sync_writes_the_file_of_the_setting_and_the_command_the_same(env: dict[str, str], tmp_path: Path) -> None:
    written = Path(env["METRICS__FILE"])
    assert one(parsed(written.read_bytes()), "rows_loaded_total", "organizations") == 5
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
    printed = command("metrics", env=env)
    assert printed.returncode == 0 and printed.stderr == ""
    mine = tmp_path / "mine.prom"
    assert command("metrics", "--file", str(mine), "-p", "load_testing", env=env).returncode == 0
    texts = (mine.read_bytes(), printed.stdout.encode(), written.read_bytes())
    first, *others = (
        {key: value for key, value in parsed(text).items() if "cursor_lag" not in key[0]} for text in texts
    )
    assert others == [first, first]
    assert [path.name for path in (*tmp_path.iterdir(), *written.parent.iterdir())] == ["mine.prom", "sync.prom"]


def test_a_file_that_cannot_be_written_does_not_fail_the_sync(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    elsewhere = {**env, "METRICS__FILE": str(tmp_path / "file" / "sync.prom")}
    with SandboxServer() as server:
        done = warm_command(
            "sync", "--no-models", "-s", "load_testing/organizations", env={**elsewhere, **sandbox_settings(server)}
        )
    assert done.returncode == 0 and "warning: the metrics were not written" in done.stderr
    done = command("metrics", "--file", elsewhere["METRICS__FILE"], env=env)
    assert done.returncode == 1 and "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1
    assert command("metrics", "--port", "1", "--file", "x", env=env).returncode == 2


def test_the_port_serves_them_until_it_is_stopped(env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        assert command("metrics", "--port", str(port), env=env).returncode == 2
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "metrics", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **env},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None and f":{port}/metrics" in process.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            found = parsed(answer.read())
        assert one(found, "table_rows", "organizations") == 5
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_the_documented_alerts_are_promql_and_of_metrics_that_exist(
    shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync
) -> None:
    point_at(shared_sandbox)
    sync_platform("device_management", ["roles"])
    names = {name for name, _, _ in parsed(metrics.metrics_text(DEVICES))}
    block = re.search(r"```yaml\n(groups:.*?)```", (ROOT / "docs" / "operate.md").read_text(), re.DOTALL)
    assert block is not None
    rules = [rule for group in yaml.safe_load(block[1])["groups"] for rule in group["rules"]]
    assert len(rules) >= 2
    for rule in rules:
        assert {"alert", "expr", "for", "labels", "annotations"} <= rule.keys()
        promql_parser.parse(rule["expr"])
        used = set(re.findall(r"platform_assets_\w+", rule["expr"]))
        assert used and used <= names
