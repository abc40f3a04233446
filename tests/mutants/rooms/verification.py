"""Mutants of `verification`: differences that are passed over or invented."""

from tests.mutants.mutant import Mutant

COMPARING = "platform_assets/verification/compare.py"
DIFFERENCES = "tests/verification/test_differences.py"
NOT_VERIFIED = "tests/verification/test_not_verified.py"

MUTANTS = (
    Mutant(
        "verify-skips-a-column",
        COMPARING,
        "{', '.join(f'r.{quoted(name)}' for name in shape.types)})",
        "{', '.join(f'r.{quoted(n)}' for n, kind in shape.types.items() if kind != 'json')})",
        (f"{DIFFERENCES}::test_a_changed_cell_is_found_with_its_key_and_column",),
    ),
    Mutant(
        "verify-reports-rows-of-failed-parent-as-extra",
        COMPARING,
        '"coalesce(e.complete, FALSE)"',
        '"coalesce(e.complete, TRUE)"',
        (f"{NOT_VERIFIED}::test_rows_that_cannot_be_read_are_not_verified_and_never_extra",),
    ),
)
