"""Mutants of `orchestration`: partitions that are in flight."""

from tests.mutants.mutant import Mutant

DELETED_AFTER = (
    "tests/orchestration/test_in_flight.py::test_a_partition_of_a_run_in_flight_is_deleted_only_after_the_run"
)

MUTANTS = (
    Mutant(
        "run-without-partitions-holds-none",
        "platform_assets/orchestration/in_flight.py",
        "if all(named) else set(registered)",
        "if all(named) else set()",
        (f"{DELETED_AFTER}[launchpad]",),
    ),
    Mutant(
        "files-of-events-taken-in-any-order",
        "platform_assets/patches/event_transactions.py",
        "        return shard not in self._open and shard != INDEX_SHARD_NAME",
        "        return False",
        ("tests/patches/test_event_transactions.py::test_processes_store_in_turn",),
    ),
    Mutant(
        "long-block-keeps-others-from-writing",
        "platform_assets/patches/event_transactions.py",
        "        return time.monotonic() - self._began > LONGEST",
        "        return False",
        ("tests/patches/test_event_transactions.py::test_a_long_block_lets_other_processes_write",),
    ),
)
