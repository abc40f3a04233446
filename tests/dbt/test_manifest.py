"""The manifest that Dagster reads is whole, and of the project's files as they are now."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from platform_assets.dbt import manifest
from platform_assets.dbt.program import PARSED
from platform_assets.http.errors import SettingsError

PROJECT = {
    "dbt_project.yml": 'name: shop\nversion: "1.0.0"\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n',
    "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:'}}}\n",
    "models/orders.sql": "select 1 as id",
    "models/marts/days.sql": "select 1 as day",
    "macros/money.sql": "{% macro cents(x) %}{{ x }} * 100{% endmacro %}",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small dbt project whose files are an hour old, and not parsed yet."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for path in tmp_path.rglob("*"):
        an_hour_ago = path.stat().st_mtime - 3600
        os.utime(path, (an_hour_ago, an_hour_ago))
    monkeypatch.setattr(manifest, "project_dir", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models' files at each parse, which a stand-in for dbt writes."""
    found: list[str] = []

    def parse(*words: str) -> None:
        target = Path(words[words.index("--target-path") + 1])
        models = sorted(path.name for path in manifest.project_dir().joinpath("models").rglob("*.sql"))
        found.append(" ".join(models))
        (target / "manifest.json").write_text(json.dumps(models))
        (target / "partial_parse.msgpack").write_bytes(b"parsed")

    monkeypatch.setattr(manifest, "_run_dbt", parse)
    return found


def _edit(project: Path) -> None:
    (project / "models" / "orders.sql").write_text("select 2 as id")


def _add(project: Path) -> None:
    (project / "models" / "marts" / "weeks.sql").write_text("select 1 as week")


def _rename(project: Path) -> None:
    (project / "models" / "marts" / "days.sql").rename(project / "models" / "marts" / "dates.sql")


def _delete(project: Path) -> None:
    (project / "models" / "orders.sql").unlink()


def _edit_macro(project: Path) -> None:
    (project / "macros" / "money.sql").write_text("{% macro cents(x) %}{{ x }}{% endmacro %}")


def _edit_profile(project: Path) -> None:
    (project / "profiles.yml").write_text(PROJECT["profiles.yml"].replace("dev", "other"))


@pytest.mark.parametrize("change", [_edit, _add, _rename, _delete, _edit_macro, _edit_profile])
def test_each_change_of_the_files_is_parsed_once(
    project: Path, parses: list[str], change: Callable[[Path], None]
) -> None:
    manifest.current_manifest()
    manifest.current_manifest()
    assert len(parses) == 1
    change(project)
    manifest.current_manifest()
    manifest.current_manifest()
    assert len(parses) == 2
    now = sorted(path.name for path in (project / "models").rglob("*.sql"))
    assert manifest.read_manifest() == now


def test_what_is_edited_while_dbt_parses_is_parsed_the_next_time(
    project: Path, parses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = manifest._run_dbt

    def parse_slowly(*words: str) -> None:
        parse(*words)
        (project / "models" / "late.sql").write_text("select 1 as id")
        later = (project / PARSED).parent.stat().st_mtime + 0.5
        os.utime(project / "models" / "late.sql", (later, later))
        monkeypatch.setattr(manifest, "_run_dbt", parse)

    monkeypatch.setattr(manifest, "_run_dbt", parse_slowly)
    assert "late.sql" not in manifest.read_manifest()
    assert "late.sql" in manifest.read_manifest()


def test_what_a_killed_process_left_is_deleted(project: Path, parses: list[str]) -> None:
    left = (project / PARSED).parent / "tmp_killed"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text('{"nod')
    manifest.current_manifest()
    assert [path.name for path in (project / PARSED).parent.iterdir()] == ["manifest.json"]


def test_half_a_manifest_of_another_dbt_is_not_read(project: Path) -> None:
    (project / "target").mkdir()
    (project / "target" / "manifest.json").write_text('{"nodes": {"model.shop.ord')
    assert {"model.shop.orders", "model.shop.days"} <= manifest.read_manifest()["nodes"].keys()
    assert (project / "target" / "partial_parse.msgpack").exists(), "dbt's next command need not parse it again"


@pytest.mark.slow
def test_a_project_that_dbt_cannot_parse_is_an_error_in_its_words(project: Path) -> None:
    orders = project / "models" / "orders.sql"
    orders.write_text("select {{ 1 as id")
    with pytest.raises(SettingsError, match=r"(?s)cannot parse the project.*Compilation Error in model orders"):
        manifest.current_manifest()
    assert not (project / PARSED).exists()
    orders.write_text("select 3 as id")
    assert "model.shop.orders" in manifest.read_manifest()["nodes"]
