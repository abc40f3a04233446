"""dbt's sources say what the declarations say."""

from pathlib import Path

from platform_assets.dbt.sources import outdated, write
from platform_assets.platforms import all_platforms


def test_committed_sources_are_up_to_date() -> None:
    """Run `platform-assets dbt-sources` where this fails."""
    assert outdated(Path(__file__).parents[2] / "dbt_project", all_platforms()) == []


def test_writing_makes_them_up_to_date(tmp_path: Path) -> None:
    assert len(write(tmp_path, all_platforms())) == len(all_platforms())
    assert write(tmp_path, all_platforms()) == []
