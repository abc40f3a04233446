"""Mutants of `monitoring`: run requests of the freshness sensor, deletion of partitions."""

from tests.mutants.mutant import Mutant

DELETED_AFTER = (
    "tests/orchestration/test_in_flight.py::test_a_partition_of_a_run_in_flight_is_deleted_only_after_the_run"
)
REQUESTED_AGAIN = (
    "tests/monitoring/test_freshness.py::test_an_asset_is_requested_again_after_any_run_result_but_never_twice_at_once"
)

MUTANTS = (
    Mutant(
        "partition-in-flight-deleted",
        "platform_assets/monitoring/partition_sensor.py",
        "sorted(removed - in_flight[name])",
        "sorted(removed)",
        (f"{DELETED_AFTER}[backfill of one]",),
    ),
    Mutant(
        "requested-twice-at-once",
        "platform_assets/monitoring/freshness.py",
        ("    if state.run_key:\n        return []\n"),
        "",
        (REQUESTED_AGAIN,),
    ),
    Mutant(
        "failed-run-never-requested-again",
        "platform_assets/monitoring/freshness.py",
        "    if run is RunState.NONE and now - state.requested_at < LOST_AFTER:",
        "    if run is not RunState.SUCCEEDED:",
        (REQUESTED_AGAIN,),
    ),
)
