"""dbt parses the project once for a warehouse, not at every build."""

from pathlib import Path

import pytest

from platform_assets.dbt import assets
from platform_assets.dbt.program import PARTIAL_PARSE
from tests.dbt.building import run_dbt


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `target` has what an earlier `dbt parse` has left."""
    (tmp_path / "target" / "build").mkdir(parents=True)
    (tmp_path / PARTIAL_PARSE).write_bytes(b"of another warehouse")
    monkeypatch.setattr(assets, "project_dir", lambda: tmp_path)
    return tmp_path


@pytest.mark.slow
def test_what_a_build_has_parsed_is_left_for_the_next(project: Path) -> None:
    built = project / "target" / "build"
    run_dbt("parse", warehouse=project / "warehouse.duckdb", target=built)
    parsed = (built / PARTIAL_PARSE.name).read_bytes()
    assets._keep_parsed(built)
    assert (project / PARTIAL_PARSE).read_bytes() == parsed


def test_a_build_that_left_nothing_takes_nothing_away(project: Path) -> None:
    assets._keep_parsed(project / "target" / "build")
    assert (project / PARTIAL_PARSE).read_bytes() == b"of another warehouse"
