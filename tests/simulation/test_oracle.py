"""The simulation itself: it detects errors, accepts correct tables, and generates the same history from a seed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.simulation.cells import same
from tests.simulation.contract import PLATFORMS, RESOURCES
from tests.simulation.history import Step, Sync, make, replay
from tests.simulation.play import Play
from tests.simulation.staging import DAY, Stage, no_findings, wait
from tests.simulation.warehouse import DuckDBFile, Table

TAMPERINGS = {
    "lost": "DELETE FROM {table} WHERE {key} = {first}",
    "wrong value": "UPDATE {table} SET name = 'somebody else' WHERE {key} = {first}",
    "soft-deleted": "UPDATE {table} SET _deleted_at = now() WHERE {key} = {first}",
    "invented": "INSERT INTO {table} BY NAME SELECT * REPLACE (4711 AS {key}) FROM {table} WHERE {key} = {first}",
    "twice": "INSERT INTO {table} SELECT * FROM {table} WHERE {key} = {first}",
}


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    play = Play(
        "device_management", ("locations", "roles"), DuckDBFile(tmp_path_factory.mktemp("oracle")), page=3, size=3
    )
    play.fill(5)
    with play.server:
        yield play


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_the_oracle_detects_a_tampered_row(kind: str, devices: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices.sync() == []
    honest, count = devices.tables, iter(range(9))

    def tampered(names: object = None) -> object:
        if next(count) == 1:
            first = min(devices.store.keys("roles"))
            devices.warehouse.execute(TAMPERINGS[kind].format(table="device_management.roles", key="id", first=first))
        return honest()

    with monkeypatch.context() as patch:
        # The second read of the tables in a round, after the sync, is the one that is checked.
        patch.setattr(devices, "tables", tampered)
        found = devices.sync()
    assert kind in {finding.kind for finding in found}
    assert {finding.where for finding in found} == {"device_management/roles"}
    devices.warehouse.execute("DROP SCHEMA device_management CASCADE")


def test_an_out_of_range_timestamp_equals_no_stored_value() -> None:
    assert not same("9999-12-31T23:59:59-08:00", datetime(2026, 1, 1, tzinfo=UTC))


def test_a_row_removed_before_the_newer_of_two_runs_began_may_stay_unchanged(stage: Stage) -> None:
    """A filtered list does not show the removal, and the older run must not overwrite what the newer one read."""
    play = stage("crm/stages", 5, more=("activity_fields",))
    no_findings(play.sync())
    key = play.store.keys("stages")[0]
    wait(play, DAY)
    play.store.edit("stages", key)
    changes = (Step("remove", "stages", row=play.store.keys("stages").index(key)), Step("insert", "stages", what="now"))
    no_findings(play.sync(Sync(concurrent=("activity_fields", 1, changes))))


def test_a_row_removed_before_the_newer_of_two_runs_began_is_soft_deleted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle requires it although the older run has read the row."""
    play = stage("device_management/locations", 5, more=("roles",))
    no_findings(play.sync())
    with monkeypatch.context() as patch:
        # No row is soft-deleted, whatever the syncs do.
        patch.setattr(play, "tables", _without_soft_deletes(play.tables))
        found = play.sync(Sync(concurrent=("roles", 1, (Step("remove", "locations"),))))
    assert [finding.kind for finding in found] == ["not soft-deleted"]


def _without_soft_deletes(tables: Callable[..., dict[str, Table]]) -> Callable[..., dict[str, Table]]:
    def without_soft_deletes(names: Iterable[str] | None = None) -> dict[str, Table]:
        return {
            name: replace(table, rows=[{**row, "_deleted_at": None} for row in table.rows])
            for name, table in tables(names).items()
        }

    return without_soft_deletes


def test_the_contract_has_all_resources() -> None:
    assert len(RESOURCES) == 47
    assert len(PLATFORMS) == 5


def test_a_seed_is_the_same_history_every_time() -> None:
    assert make(17) == make(17)
    assert make(17).steps != make(18).steps
    assert {make(seed).platform for seed in range(5)} == set(PLATFORMS)


def test_a_failure_names_the_command_that_replays_it() -> None:
    assert replay(make(17), [0, 4]) == ".venv/bin/python -m tests.simulation --seed 17 --keep 0,4"


def test_a_failure_on_postgres_is_replayed_there() -> None:
    assert replay(make(17), warehouse="postgres").endswith("--seed 17 --warehouse postgres")


def test_modules_of_the_oracle_import_nothing_of_the_product() -> None:
    folder = Path(__file__).parent
    judging = ["contract", "store", "server", "faults", "oracle", "judgement", "findings", "columns", "cells"]
    judging += ["warehouse", "history", "play", "playing"]
    assert [name for name in judging if "platform_assets" in (folder / f"{name}.py").read_text()] == []
