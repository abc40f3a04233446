"""The duration of a freshness sensor's tick with 10,000 partitions, all fresh and all stale.

On a real SQLite instance. Prints a line each.
"""

import argparse
import os
import tempfile
import time

import dagster as dg

from platform_assets.definitions import defs
from platform_assets.monitoring.freshness_sensor import freshness_sensor
from platform_assets.orchestration.partitions import register
from platform_assets.platforms import platform_named

PLATFORM = platform_named("load_testing")


def tick(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> tuple[float, int]:
    """Seconds of one tick, and how many partitions it requested."""
    began = time.perf_counter()
    found = freshness_sensor(PLATFORM)(dg.build_sensor_context(instance=instance, repository_def=repository))
    seconds = time.perf_counter() - began
    assert isinstance(found, dg.SensorResult)
    requested = [
        op["config"]["partitions"] for r in found.run_requests or [] for op in (r.run_config or {})["ops"].values()
    ]
    return seconds, sum(map(len, requested))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, default=10_000)
    options = parser.parse_args()
    os.environ.update(SOURCES__LOAD_TESTING__BASE_URL="http://127.0.0.1:1", SOURCES__LOAD_TESTING__API_TOKEN="none")
    repository = defs().get_repository_def()
    keys = [f"org-{number}" for number in range(options.partitions)]
    with (
        tempfile.TemporaryDirectory(prefix="platform-assets-bench-") as home,
        dg.DagsterInstance.local_temp(home) as instance,
    ):
        began = time.perf_counter()
        register(instance, "load_testing_organization", keys)
        print(f"registering {len(keys):,} partitions: {time.perf_counter() - began:.1f} s")
        print("tick, none loaded yet: {:.2f} s, {} requested".format(*tick(instance, repository)))
        for key in keys:
            instance.report_runless_asset_event(
                dg.AssetMaterialization(dg.AssetKey(["load_testing", "projects"]), partition=key)
            )
        print("tick, all loaded: {:.2f} s, {} requested".format(*tick(instance, repository)))
        os.environ["SOURCES__LOAD_TESTING__ALLOWED_LAG"] = "0"
        print("tick, all stale: {:.2f} s, {} requested".format(*tick(instance, repository)))


if __name__ == "__main__":
    main()
