"""The mutants refer to code and tests that exist; `make mutants` itself takes too long for every run."""

import ast
from functools import cache

import pytest

from tests.mutants.__main__ import ROOT
from tests.mutants.mutant import Mutant
from tests.mutants.rooms import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_code_of_a_mutant_occurs_once_and_its_tests_exist(mutant: Mutant) -> None:
    assert (ROOT / mutant.path).read_text().count(mutant.code) == 1
    assert mutant.fault != mutant.code and mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert (ROOT / path).exists(), test
        assert not name or name.partition("[")[0] in names_of_tests(path), test


def test_mutant_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@cache
def names_of_tests(path: str) -> frozenset[str]:
    """Names of the test functions of a file, as pytest collects them."""
    found = ast.parse((ROOT / path).read_text()).body
    return frozenset(each.name for each in found if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"))
