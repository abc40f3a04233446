"""The simulation itself: it sees what is wrong, calls right what is right, and plays a seed the same way twice."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.simulation.contract import PLATFORMS, RESOURCES
from tests.simulation.history import make, replay
from tests.simulation.play import Play

TAMPERINGS = {
    "lost": "DELETE FROM {table} WHERE {key} = {first}",
    "wrong value": "UPDATE {table} SET name = 'somebody else' WHERE {key} = {first}",
    "marked": "UPDATE {table} SET _deleted_at = now() WHERE {key} = {first}",
    "invented": "INSERT INTO {table} BY NAME SELECT * REPLACE (4711 AS {key}) FROM {table} WHERE {key} = {first}",
    "twice": "INSERT INTO {table} SELECT * FROM {table} WHERE {key} = {first}",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    play = Play("device_management", ("locations", "roles"), tmp_path_factory.mktemp("oracle"), page=3, size=3)
    play.fill(5)
    with play.server:
        yield play


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_the_oracle_sees_a_tampered_row(kind: str, stage: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stage.sync() == []
    honest, count = stage.tables, iter(range(9))

    def tampered(names: object = None) -> object:
        if next(count) == 1:
            with duckdb.connect(str(stage.file)) as connection:
                first = min(stage.store.keys("roles"))
                connection.execute(TAMPERINGS[kind].format(table="device_management.roles", key="id", first=first))
        return honest()

    with monkeypatch.context() as patch:
        # The round's second look at the tables, after the sync, is the one that is judged.
        patch.setattr(stage, "tables", tampered)
        found = stage.sync()
    assert kind in {finding.kind for finding in found}
    assert {finding.where for finding in found} == {"device_management/roles"}
    stage.file.unlink()


def test_the_contract_has_all_resources() -> None:
    assert len(RESOURCES) == 47
    assert len(PLATFORMS) == 5


def test_a_seed_is_the_same_history_every_time() -> None:
    assert make(17) == make(17)
    assert make(17).steps != make(18).steps
    assert {make(seed).platform for seed in range(5)} == set(PLATFORMS)


def test_a_failure_names_the_command_that_plays_it_again() -> None:
    assert replay(make(17), [0, 4]) == ".venv/bin/python -m tests.simulation --seed 17 --keep 0,4"


def test_modules_of_the_oracle_import_nothing_of_the_product() -> None:
    folder = Path(__file__).parent
    judging = ["contract", "store", "server", "faults", "oracle", "judgement", "findings", "columns", "cells"]
    judging += ["warehouse", "history", "play", "playing"]
    assert [name for name in judging if "platform_assets" in (folder / f"{name}.py").read_text()] == []
