"""The fixture for histories of one resource."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.simulation.contract import resource_named
from tests.simulation.play import Play
from tests.simulation.staging import Stage
from tests.simulation.warehouse import DuckDBFile


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A history of one resource, its parent, and further resources of the same platform."""
    with ExitStack() as stack:

        def begin(label: str, rows: int, *, size: int = 3, page: int = 3, more: tuple[str, ...] = ()) -> Play:
            platform, name = label.split("/")
            parent = resource_named(platform, name).parent
            names = [*([parent.resource] if parent else []), name, *more]
            play = Play(platform, tuple(names), DuckDBFile(tmp_path), page=page, size=size)
            play.fill(rows)
            stack.enter_context(play.server)
            return play

        yield begin
