"""Mutants of `declarations`: a key that no declaration has."""

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "unknown-declaration-key-accepted",
        "platform_assets/declarations/strict.py",
        "        given = {**ordered, **given}",
        "        given = {k: v for k, v in {**ordered, **given}.items() if k in {key.name for key in keys}}",
        ("tests/declarations/test_validation.py::test_a_key_that_does_not_exist_is_refused_where_it_stands",),
    ),
)
