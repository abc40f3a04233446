"""pytest plugin: prints the simulation's counts in one line at the end. Tests add to them with `record`."""

from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from tests.simulation.play import COUNTED

PREFIX = "simulation "


def record(record_property: Callable[[str, object], None], counts: Mapping[str, int]) -> None:
    for name in COUNTED:
        record_property(PREFIX + name, counts.get(name, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        found.update({name: number for name, number in report.user_properties if name.startswith(PREFIX)})
    if found:
        terminalreporter.write_line("simulation: " + ", ".join(f"{found[PREFIX + name]} {name}" for name in COUNTED))
