"""What tests of one resource share: the lists to try, a round without findings, a pause."""

from collections.abc import Callable

from tests.simulation.client import Report
from tests.simulation.findings import Finding
from tests.simulation.history import Step, Sync
from tests.simulation.play import Play

DAY = 86400
# A list read in full for each way of paging.
PAGED = ("ci_analytics/organizations", "device_management/locations", "crm/organizations", "error_tracking/projects")
FILTERED = ("ci_analytics/builds", "error_tracking/events", "error_tracking/issues", "crm/deals", "crm/users")
Stage = Callable[..., Play]


def no_findings(found: list[Finding]) -> None:
    assert not found, "\n".join(map(str, found))


def synced(play: Play, how: Sync | None = None) -> Report:
    """Run one round without findings and return its report."""
    no_findings(play.sync(how))
    return play.reports[0]


def wait(play: Play, seconds: float) -> None:
    play.do(Step("wait", what=seconds))


def name_of(label: str) -> str:
    return label.split("/")[1]
