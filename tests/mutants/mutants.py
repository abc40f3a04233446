"""The faults: where, what stands there, what is planted instead, and which tests are to see it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault: `code` stands once in the file at `path`, and `fault` takes its place."""

    name: str
    path: str
    code: str
    fault: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = ()
