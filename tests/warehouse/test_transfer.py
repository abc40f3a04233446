"""An export imported into another warehouse, of the same database or not, is as if it had been loaded there."""

import json
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import Platform
from platform_assets.platforms import platform_named
from platform_assets.sandbox import SandboxServer
from platform_assets.warehouse import WarehouseError, migrations, open_warehouse
from platform_assets.warehouse.backends.duckdb import DuckDB
from platform_assets.warehouse.backends.postgres import Postgres
from platform_assets.warehouse.transfer import TransferError
from platform_assets.warehouse.transfer.export import export_platform
from platform_assets.warehouse.transfer.load import import_platform
from platform_assets.warehouse.transfer.manifest import NAME
from tests.conftest import Sync
from tests.forkserver import processes
from tests.servers.postgres import postgres_server
from tests.settings import PointAt
from tests.sync.odd_values import ODD_VALUES
from tests.sync.shop import SHOP, Shop
from tests.tiers import only
from tests.warehouse.databases import Database, settings_of_this_process

ERRORS = platform_named("error_tracking")
OURS = ("_sync_state", "_sync_log", "_sync_tables", "_sync_source", "_sync_columns", "_sync_version")
# What CSV, SQL and COPY may take for something else.
HOSTILE = [
    "",
    " ",
    ",",
    '"',
    '""',
    "\\",
    "\\.",
    "a\n\\.\nb",
    "\\N",
    "NULL",
    "null",
    "a\r\nb",
    "\t",
    "'",
    "é\u2028𝄞",
    "{}",
]
Way = tuple[Database, Database]


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres_server() as settings:
        yield Database(settings)


WAYS = ("duckdb to duckdb", "duckdb to postgres", "postgres to duckdb")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    """The warehouse that is exported, and an empty one that it is imported into."""
    files = iter((tmp_path / "one.duckdb", tmp_path / "two.duckdb"))
    names = request.param.split(" to ")
    both = [Database.file(next(files)) if name == "duckdb" else request.getfixturevalue("server") for name in names]
    for database in both:
        for platform in (ERRORS, SHOP):
            database.run(f"DROP SCHEMA IF EXISTS {platform.name} CASCADE")
    return both[0], both[1]


def exported(platform: Platform, folder: Path) -> Path:
    with open_warehouse(platform) as warehouse:
        assert export_platform(warehouse, folder) is not None
    return folder


def imported(platform: Platform, folder: Path, **options: Any) -> None:
    with open_warehouse(platform) as warehouse:
        import_platform(warehouse, folder, **options)


def everything(database: Database, platform: Platform) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, also ours. A load id is null, or of a load that both warehouses list."""
    names = [*(resource.name for resource in platform.resources), *OURS]
    return {name: database.table(f"{platform.name}.{name}") for name in names}


@pytest.mark.slow
def test_every_row_and_cursor_arrives_and_the_next_sync_reads_only_what_is_new(
    way: Way, point_at: PointAt, sync_platform: Sync, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, target = way
    with SandboxServer() as api:
        point_at(api)
        source.configure(monkeypatch)
        sync_platform(ERRORS.name)
        api.backend.advance(hours=24)
        sync_platform(ERRORS.name)
        before = everything(source, ERRORS)
        folder = exported(ERRORS, tmp_path / "export")
        target.configure(monkeypatch)
        imported(ERRORS, folder)
        assert everything(target, ERRORS) == before
        for hours in (1, 30, 72):
            api.backend.advance(hours=hours)
            source.configure(monkeypatch)
            here = sync_platform(ERRORS.name)
            target.configure(monkeypatch)
            there = sync_platform(ERRORS.name)
            assert [(o.error, o.reset, o.records, o.rows_loaded, o.deleted) for o in there.values()] == [
                (None, None, o.records, o.rows_loaded, o.deleted) for o in here.values()
            ]
            for resource in ERRORS.resources:
                rows = [
                    [{k: v for k, v in row.items() if k not in ("_loaded_at", "_deleted_at")} for row in found]
                    for found in (
                        source.table(f"{ERRORS.name}.{resource.name}"),
                        target.table(f"{ERRORS.name}.{resource.name}"),
                    )
                ]
                assert sorted(rows[0], key=str) == sorted(rows[1], key=str), resource.name


@pytest.mark.parametrize("way", only(["duckdb to postgres"], WAYS, slow=WAYS), indirect=True)
def test_values_at_the_edges_of_their_types_arrive_exactly(
    way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """But U+0000, for which Postgres gets U+FFFD, as in a load."""
    source, target = way
    odd = [*ODD_VALUES, *map(json.dumps, HOSTILE)]
    columns = ("number", "price", "open", "title", "at", "day", "tags", "undeclared", "fooBar", "foo_bar")
    things = [f'{{"id": {n}, ' + ", ".join(f'"{c}": {value}' for c in columns) + "}" for n, value in enumerate(odd)]
    with Shop() as shop:
        shop.answers["/things"] = f"[{','.join(things)}]".encode()
        shop.answers["/words"] = b'[{"id": "a"}]'
        source.configure(monkeypatch)
        assert shop.sync("things", "words")["things"].ok
        folder = exported(SHOP, tmp_path / "export")
        target.configure(monkeypatch)
        imported(SHOP, folder)
        for table in ("things", "words", "_sync_columns", "_sync_state"):
            here, there = source.table(f"shop.{table}"), target.table(f"shop.{table}")
            if not target.is_file:
                kinds = f"table_schema = 'shop' AND table_name = '{table}' AND data_type = 'JSON'"
                in_json = {
                    name for (name,) in source.run(f"SELECT column_name FROM information_schema.columns WHERE {kinds}")
                }
                here = [{name: without_nul(name in in_json, value) for name, value in row.items()} for row in here]
            for mine, other in zip(sorted(here, key=repr_of), sorted(there, key=repr_of), strict=True):
                assert not {name: (mine[name], other[name]) for name in mine if repr(mine[name]) != repr(other[name])}
        again = shop.sync("things", "words")
        assert {name: (o.error, o.rows_loaded, o.deleted) for name, o in again.items()} == {
            "things": (None, 0, 0),
            "words": (None, 0, 0),
        }
        assert source.run("SELECT count(*) FROM shop.things") == target.run("SELECT count(*) FROM shop.things")


def without_nul(is_json: bool, value: Any) -> Any:
    """A value as a load into Postgres has it."""
    return value.replace("\\u0000" if is_json else "\0", "\ufffd") if isinstance(value, str) else value


def repr_of(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


@pytest.fixture
def loaded(shared_sandbox: SandboxServer, point_at: PointAt, sync_platform: Sync, tmp_path: Path) -> Path:
    """An export of the configured DuckDB file, which has a few tables of error_tracking."""
    point_at(shared_sandbox)
    sync_platform(ERRORS.name, ["projects", "releases"])
    return exported(ERRORS, tmp_path / "export")


def refused(folder: Path, database: Database, reason: str, **options: Any) -> None:
    """An import fails for the reason, and the warehouse stays as it is."""
    before = database.run("SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL")
    with pytest.raises(TransferError, match=reason):
        imported(ERRORS, folder, **options)
    assert database.run("SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL") == before


def test_what_is_loaded_already_is_replaced_only_if_told(
    loaded: Path, sync_platform: Sync, warehouse_file: Path
) -> None:
    database = Database.file(warehouse_file)
    before = database.table("error_tracking.projects")
    database.run("DELETE FROM error_tracking.projects")
    refused(loaded, database, "has been loaded already; --replace puts")
    assert database.table("error_tracking.projects") == []
    imported(ERRORS, loaded, replace=True)
    assert database.table("error_tracking.projects") == before
    assert sync_platform(ERRORS.name, ["projects"])["projects"].rows_loaded == 0


def test_another_account_is_refused_even_if_told_to_replace(loaded: Path, warehouse_file: Path) -> None:
    database = Database.file(warehouse_file)
    database.run("UPDATE error_tracking._sync_source SET origin = 'https://other.example'")
    for replace in (False, True):
        refused(loaded, database, "another account: .* holds the data of https://other.example", replace=replace)


def test_an_export_of_another_origin_than_the_settings_name_is_refused(
    loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Database.file(tmp_path / "empty.duckdb")
    empty.configure(monkeypatch)
    refused(loaded, empty, "data of the sandbox, and the settings of error_tracking name https://x", origin="https://x")


def test_an_export_of_a_newer_release_is_refused(loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "VERSION", migrations.VERSION - 1)
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(tmp_path / "empty.duckdb"))
    with pytest.raises(WarehouseError, match="written by a newer release"):
        imported(ERRORS, loaded)


def test_a_damaged_truncated_or_missing_file_is_refused(
    loaded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Database.file(tmp_path / "empty.duckdb")
    empty.configure(monkeypatch)
    files = sorted(loaded.iterdir())
    assert {"projects.parquet", "_sync_state.parquet", NAME} <= {path.name for path in files}
    for path in files:
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        for damage in (bytes(flipped), whole[: len(whole) // 2], whole[:-1], b""):
            path.write_bytes(damage)
            refused(loaded, empty, "is damaged")
        path.unlink()
        refused(loaded, empty, "cannot be read")
        path.write_bytes(whole)
    imported(ERRORS, loaded)


def test_the_files_are_their_owners_alone_and_hold_no_credential(loaded: Path) -> None:
    token = os.environ["SOURCES__ERROR_TRACKING__API_TOKEN"].encode()
    assert stat.S_IMODE(loaded.stat().st_mode) == 0o700
    for path in loaded.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert token not in path.read_bytes()


def test_a_name_or_a_key_that_postgres_cannot_hold_is_refused(
    server: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server.run("DROP SCHEMA IF EXISTS shop CASCADE")
    with Shop() as shop:
        for number, (body, reason) in enumerate(
            ((b'[{"id": "a", "%s": 1}]' % (b"n" * 64), "too long"), (rb'[{"id": "a\u0000"}]', "a id has"))
        ):
            Database.file(tmp_path / f"{number}.duckdb").configure(monkeypatch)
            shop.answers["/words"] = body
            assert shop.sync("words")["words"].ok
            folder = exported(SHOP, tmp_path / f"export{number}")
            server.configure(monkeypatch)
            with pytest.raises(TransferError, match=reason):
                imported(SHOP, folder)
    assert server.run("SELECT 1 FROM information_schema.tables WHERE table_schema = 'shop'") == []


def killed_at(table: int, folder: str, environment: dict[str, str]) -> None:
    """Import with --replace, and be killed when so many tables are written; ends with 0 if there are fewer."""
    os.environ.update(environment)
    tempfile.tempdir = None  # the process that this one was forked from has cached one that is gone
    left = [table]
    for backend in (DuckDB, Postgres):

        def counted(self: Any, *args: Any, original: Any = backend.insert_parquet) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            original(self, *args)

        setattr(backend, "insert_parquet", counted)  # noqa: B010 -- pyright knows the method's parameters
    with open_warehouse(ERRORS) as warehouse:
        import_platform(warehouse, Path(folder), replace=True)


@pytest.mark.parametrize("target", only(["duckdb"], ["duckdb", "postgres"], slow=["postgres"]))
def test_an_import_that_is_killed_leaves_what_was_there(
    target: str,
    request: pytest.FixtureRequest,
    loaded: Path,
    sync_platform: Sync,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database: Database = (
        Database.file(tmp_path / "other.duckdb") if target == "duckdb" else request.getfixturevalue("server")
    )
    database.configure(monkeypatch)
    database.run("DROP SCHEMA IF EXISTS error_tracking CASCADE")
    sync_platform(ERRORS.name, ["projects"])
    before = database.table("error_tracking._sync_log")
    for table in (0, 1, 4, 7, 99):
        process = processes.Process(target=killed_at, args=(table, str(loaded), settings_of_this_process()))
        process.start()
        process.join(60)
        if table == 99:
            assert process.exitcode == 0
            break
        assert process.exitcode == -signal.SIGKILL
        assert database.table("error_tracking._sync_log") == before
        assert sync_platform(ERRORS.name, ["projects"])["projects"].rows_loaded == 0
        before = database.table("error_tracking._sync_log")
    assert len(database.table("error_tracking.releases")) > 0
    assert sync_platform(ERRORS.name, ["releases"])["releases"].rows_loaded == 0


def test_an_export_that_was_cut_off_leaves_no_folder(loaded: Path, tmp_path: Path) -> None:
    (loaded / NAME).unlink()
    with pytest.raises(TransferError, match=f"{NAME} cannot be read"):
        imported(ERRORS, loaded)
    with pytest.raises(TransferError, match="exists already"), open_warehouse(ERRORS) as warehouse:
        export_platform(warehouse, loaded)
