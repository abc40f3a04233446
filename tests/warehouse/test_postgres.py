"""A real Postgres gets the same tables, models and second runs as DuckDB, also with concurrent loads."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pytest
from psycopg2.extras import register_default_json, register_default_jsonb

from platform_assets.dbt.project import dbt_project
from platform_assets.platforms import all_platforms
from platform_assets.sandbox import SandboxServer
from platform_assets.warehouse.location import WarehouseError, exclusive
from platform_assets.warehouse.queries import reading, rows
from tests.cli.command import MAIN, ROOT, command
from tests.conftest import Sync
from tests.servers.postgres import new_database, postgres_server
from tests.settings import PointAt, sandbox_settings
from tests.sync.odd_values import ODD_VALUES
from tests.sync.shop import Shop
from tests.tiers import only

OF_THE_LOAD = ("_loaded_at", "_dlt_load_id", "last_seen_at")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Mapping[str, str]]:
    with postgres_server() as settings:
        yield settings


def read(postgres: Mapping[str, str], sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query."""
    connection = psycopg2.connect(postgres["DESTINATION__POSTGRES__CREDENTIALS"], options="-c timezone=UTC")
    for register in (register_default_json, register_default_jsonb):
        register(connection, loads=lambda text: text)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
    finally:
        connection.close()


def plain(value: Any) -> Any:
    """A value in a form common to both databases: JSON parsed, timestamps in UTC, numbers as floats."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return value
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def comparable(names: list[str], rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows in an order that both databases give, without the load times."""
    kept = sorted((name, at) for at, name in enumerate(names) if name not in OF_THE_LOAD)
    found = [{name: plain(row[at]) for name, at in kept} for row in rows]
    return sorted(found, key=lambda row: repr([value for value in row.values() if not isinstance(value, float)]))


def same(here: Any, there: Any) -> bool:
    """The last digits of a sum of floats depend on the order in which a database adds."""
    if isinstance(here, float) and isinstance(there, float | int):
        return math.isclose(here, there, rel_tol=1e-9)
    return here == there


def check_same(postgres: Mapping[str, str], warehouse_file: Path, tables: Sequence[str]) -> None:
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in tables:
            found = connection.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in found.description or ()]
            theirs, rows = read(postgres, f"SELECT * FROM {table}")
            assert set(theirs) == set(names), table
            here, there = comparable(names, found.fetchall()), comparable(theirs, rows)
            assert len(here) == len(there), table
            for mine, other in zip(here, there, strict=True):
                different = {name: (mine[name], other[name]) for name in mine if not same(mine[name], other[name])}
                assert not different, (table, mine)


def test_tables_of_one_platform_are_the_same_in_postgres_as_in_duckdb(
    postgres: Mapping[str, str],
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    warehouse_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(shared_sandbox)
    sync_platform("error_tracking")
    for name, value in postgres.items():
        monkeypatch.setenv(name, value)
    sync_platform("error_tracking", full_refresh=True)
    assert {outcome.rows_loaded for outcome in sync_platform("error_tracking").values()} == {0}
    resources = next(platform for platform in all_platforms() if platform.name == "error_tracking").resources
    check_same(postgres, warehouse_file, [f"error_tracking.{resource.name}" for resource in resources])


@pytest.mark.slow
def test_dbt_by_hand_finds_the_server_of_the_settings(
    postgres: Mapping[str, str],
    shared_sandbox: SandboxServer,
    point_at: PointAt,
    sync_platform: Sync,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    point_at(shared_sandbox)
    for name, value in postgres.items():
        monkeypatch.setenv(name, value)
    sync_platform("load_testing", ["organizations"])
    done = command("dbt", "build", "-s", "staging.load_testing", "--target-path", str(tmp_path))
    assert done.returncode == 0 and "staging.stg_load_testing__organizations" in done.stdout, done.stdout
    assert "left out" in done.stderr and "load_testing/tests" in done.stderr


def shown_by_report(file: Path, settings: Mapping[str, str]) -> list[str]:
    """Charts and figures of the platforms' sections; names in charts are ordered as the database orders text."""
    done = command("report", "-o", str(file), env=settings)
    assert done.returncode == 0, done.stderr
    sections = file.read_text().split("<section data-platform=", 1)[1]
    return re.findall(r"<h3>.*?</h3>|<dl.*?</dl>|<svg role|class=.empty", sections)


@pytest.mark.long
def test_tables_and_models_are_the_same_in_postgres_as_in_duckdb(
    postgres: Mapping[str, str], warehouse_file: Path
) -> None:
    # Of its own: models of what another test has loaded would not be built again.
    postgres = new_database(postgres)
    manifest = json.loads(dbt_project().manifest_path.read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    # The table of platform health differs by load.
    tables = [f"{model['schema']}.{model['name']}" for model in models if model["name"] != "platform_health"]
    tables += [f"{platform.name}.{resource.name}" for platform in all_platforms() for resource in platform.resources]
    count = sum(len(platform.resources) for platform in all_platforms())
    with SandboxServer() as server:
        for settings in ({}, postgres):
            done = command("sync", env={**sandbox_settings(server), **settings})
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
            assert f"{count} of {count} assets and {len(models)} dbt models" in done.stdout
        again = command("sync", "--no-models", env={**sandbox_settings(server), **postgres})
        assert again.returncode == 0
        changed = [line.split() for line in again.stdout.splitlines() if "/" in line and line.split()[-2:-1] == ["0"]]
        assert len(changed) == count, "a second load writes nothing"
    assert shown_by_report(warehouse_file.parent / "theirs.html", postgres) == (
        shown := shown_by_report(warehouse_file.parent / "ours.html", {})
    )
    assert len(shown) > 40
    check_same(postgres, warehouse_file, tables)


@pytest.fixture(params=[False, True], ids=["values", "parquet"])
def into_postgres(
    request: pytest.FixtureRequest, postgres: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """Settings of a load into Postgres in this process, without and with the ADBC driver."""
    for name, value in {**postgres, "DISABLE_ADBC_DETECTION": str(not request.param)}.items():
        monkeypatch.setenv(name, value)
    return postgres


def test_empty_text_stays_empty_text(into_postgres: Mapping[str, str], point_at: PointAt, sync_platform: Sync) -> None:
    """dlt 1.31 would load Arrow tables as CSV if no ADBC driver is installed, and turn empty text into null."""
    with SandboxServer() as server:
        point_at(server)
        assert sync_platform("device_management", ["activities"], full_refresh=True)["activities"].ok
        messages = [one["message"] for one in server.backend.tables["device_management"]["activities"]]
    _, rows = read(
        into_postgres, "SELECT count(message), count(*) FILTER (WHERE message = '') FROM device_management.activities"
    )
    assert rows == [(sum(one is not None for one in messages), messages.count(""))]
    assert messages.count("")


def test_a_value_that_postgres_cannot_store_does_not_affect_other_rows(
    into_postgres: Mapping[str, str], point_at: PointAt, sync_platform: Sync
) -> None:
    """Postgres cannot store NUL in texts; JSON may escape one."""
    with SandboxServer() as server:
        point_at(server)
        scripts = server.backend.tables["device_management"]["automation_scripts"]
        scripts[0].update(description="a\0b", scriptVariables=[{"name": "c\0d"}])
        outcomes = sync_platform("device_management", ["automation_scripts", "roles"], full_refresh=True)
        assert all(outcome.ok for outcome in outcomes.values())
        table = "device_management.automation_scripts"
        _, rows = read(
            into_postgres, f"SELECT description, script_variables FROM {table} WHERE id = {scripts[0]['id']}"
        )
    assert [(text, json.loads(variables)) for text, variables in rows] == [("a\ufffdb", [{"name": "c\ufffdd"}])]


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.long)])
def test_two_concurrent_loads_of_one_platform_lose_and_duplicate_no_row(
    rounds: int, postgres: Mapping[str, str], tmp_path: Path
) -> None:
    """Both share dlt's staging tables: without the lock, one would empty them while the other uses them."""
    with SandboxServer() as server:
        for _ in range(rounds):
            server.backend.advance(hours=12)
            args = ["sync", "--platform", "device_management", "--no-models", "--full-refresh"]
            running = [
                subprocess.Popen(
                    [sys.executable, "-c", MAIN, *args],
                    cwd=ROOT,
                    env={
                        **os.environ,
                        **sandbox_settings(server),
                        **postgres,
                        "DAGSTER_HOME": str(tmp_path / str(number)),
                    },
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                for number in range(2)
            ]
            for process in running:
                output, _ = process.communicate(timeout=300)
                assert process.returncode == 0, output[-2000:]
        expected = server.backend.tables["device_management"]["activities"]
        _, rows = read(postgres, "SELECT count(*), count(DISTINCT id) FROM device_management.activities")
    assert rows == [(len(expected), len(expected))]
    _, states = read(postgres, "SELECT count(*), count(DISTINCT resource) FROM device_management._sync_state")
    assert states[0][0] == states[0][1] == 8


def test_the_lock_wait_is_bounded_by_the_setting_and_ends_with_its_holder(
    postgres: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in postgres.items():
        monkeypatch.setenv(name, value)
    with exclusive("crm"):
        with pytest.raises(WarehouseError, match="kept the lock on crm for 0 s"), exclusive("crm", wait=0.1):
            pass
        with exclusive("load_testing", wait=0.1):
            pass
    with exclusive("crm", wait=0.1):
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("credentials", "reason"),
    [("postgresql://me:hush-s3cret@127.0.0.1:1/x", "Connection refused"), ("", "credentials are missing")],
)
def test_an_unavailable_postgres_is_reported_in_one_line(credentials: str, reason: str) -> None:
    env = {"WAREHOUSE__DESTINATION": "postgres", "DESTINATION__POSTGRES__CREDENTIALS": credentials}
    done = command("sync", "--sandbox", env=env)
    assert done.returncode == 1 and reason in done.stderr
    assert len(done.stderr.splitlines()) == 1 and "s3cret" not in done.stderr + done.stdout


def test_odd_values_and_overlong_names_are_all_loaded(
    postgres: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that are equal in their first 63 characters get two columns, and keep them in the next load."""
    for name, value in postgres.items():
        monkeypatch.setenv(name, value)
    one, two = "a" * 100 + "b" * 100, "a" * 100 + "c" + "b" * 99
    columns = ("number", "price", "open", "title", "at", "day", "tags", "undeclared\\u0000")
    things = [f'{{"id": {n}, ' + ", ".join(f'"{c}": {odd}' for c in columns) + "}" for n, odd in enumerate(ODD_VALUES)]
    with Shop() as shop:
        shop.answers["/things"] = f'[{",".join(things)}, {{"id": 100, "{one}": 1, "{two}": "x"}}]'.encode()
        shop.answers["/words"] = rb'[{"id": "a\u0000"}]'
        outcomes = shop.sync("things", "words")
        assert outcomes["things"].ok, outcomes["things"].error
        assert "`id`" in (outcomes["words"].error or "")
        shop.answers["/things"] = f'[{",".join(things)}, {{"id": 100, "{two}": "y", "{one}": "z"}}]'.encode()
        again = shop.sync("things")["things"]
        assert again.ok and again.rows_loaded == 1, again.error
    names, found = read(postgres, "SELECT * FROM shop.things WHERE id = 100")
    assert sorted(str(value) for name, value in zip(names, found[0], strict=True) if name[:2] == "aa" and value) == [
        "y",
        "z",
    ]
    assert read(postgres, "SELECT count(*) FROM shop.things")[1] == [(len(ODD_VALUES) + 1,)]


@pytest.mark.parametrize(
    "into_postgres", only([True], [False, True], slow=[False]), ids=["values", "parquet"], indirect=True
)
def test_status_and_report_read_without_a_right_to_write(
    into_postgres: Mapping[str, str], point_at: PointAt, sync_platform: Sync, shared_sandbox: SandboxServer
) -> None:
    point_at(shared_sandbox)
    sync_platform("load_testing")
    env = {"COLUMNS": "200", **into_postgres}
    # Another process writes meanwhile; readers need not wait for it.
    with exclusive("load_testing"):
        done = command("status", "--platform", "load_testing", env=env)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("load_testing/organizations "))
    assert line.split()[1:3] == ["ok", "5"]
    with reading("load_testing") as reader:
        assert rows(reader, "SELECT count(*) AS n FROM organizations WHERE id::text LIKE '%'") == [{"n": 5}]
        assert rows(reader, "SELECT 1 FROM no_such_table") == []
        with pytest.raises(WarehouseError, match="read-only"):
            reader.execute_sql("DROP TABLE organizations")
