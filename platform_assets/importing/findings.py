"""What the importer has to say about a configuration: the doctor's report."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from platform_assets.declarations import PlatformAssetsError


class UnreadableDocument(PlatformAssetsError):
    """A file holds no configuration that can be read; the text says what was looked for, and where."""


class Severity(StrEnum):
    """How much a finding asks of the reader, from most to least."""

    # Left out of what was written: something is not loaded, or not as it was.
    NOT_CARRIED = "not carried"
    # Carried as it stands, and probably not what was meant.
    SUSPECTED = "suspected"
    # Said nowhere, and needed: the most likely value was taken.
    ASSUMED = "assumed"
    # Written in a way that does not work, and with a clear meaning: corrected.
    MENDED = "mended"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that a person should know.

    Attributes:
        severity: what became of it.
        resource: the resource's name, None for the whole platform.
        what: the key or part of the configuration.
        why: what is wrong with it or was done with it, in one line.
    """

    severity: Severity
    resource: str | None
    what: str
    why: str

    def as_dict(self) -> dict[str, str | None]:
        return {key: None if value is None else str(value) for key, value in asdict(self).items()}


class Findings:
    """Collects findings; the same one is kept once."""

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        self._found: dict[Finding, None] = dict.fromkeys(found)

    def mended(self, resource: str | None, what: str, why: str) -> None:
        self._found[Finding(Severity.MENDED, resource, what, why)] = None

    def assumed(self, resource: str | None, what: str, why: str) -> None:
        self._found[Finding(Severity.ASSUMED, resource, what, why)] = None

    def suspected(self, resource: str | None, what: str, why: str) -> None:
        self._found[Finding(Severity.SUSPECTED, resource, what, why)] = None

    def not_carried(self, resource: str | None, what: str, why: str) -> None:
        self._found[Finding(Severity.NOT_CARRIED, resource, what, why)] = None

    def drop(self, resource: str, what: str, severity: Severity) -> None:
        """Forget what is no longer so."""
        gone = [one for one in self._found if (one.resource, one.what, one.severity) == (resource, what, severity)]
        for one in gone:
            del self._found[one]

    def all(self) -> tuple[Finding, ...]:
        """In the order in which they were found."""
        return tuple(self._found)


def by_severity(findings: Iterable[Finding]) -> dict[Severity, list[Finding]]:
    """Findings by severity, the most severe first; within one in their order."""
    found = list(findings)
    groups = {severity: [one for one in found if one.severity is severity] for severity in Severity}
    return {severity: group for severity, group in groups.items() if group}
