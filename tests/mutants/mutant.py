"""What a mutant is: a small fault that a hurried change could bring, and the tests that have to notice it.

Typical ones are a guard left out, a bound off by one, a forgotten step. `tests` names the few quick tests written for
it; the whole suite notices more.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault: `code` occurs exactly once in the file at `path`, and `fault` replaces it."""

    name: str
    path: str
    code: str
    fault: str
    tests: tuple[str, ...]
