"""Mutants of `declarations`: a key that no declaration has."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "unknown-declaration-key-accepted",
        "platform_assets/declarations/strict.py",
        "        given = {**ordered, **given}",
        "        given = {k: v for k, v in {**ordered, **given}.items() if k in {key.name for key in keys}}",
        ("tests/declarations/test_validation.py::test_an_unknown_key_is_refused_with_its_line",),
    ),
)
