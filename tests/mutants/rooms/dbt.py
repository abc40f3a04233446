"""Mutants of `dbt`: which models are built, and from which files."""

from tests.mutants.mutant import Mutant

CHANGES = "platform_assets/dbt/last_changes.py"
CHANGED = "tests/dbt/test_last_changes.py"
MANIFEST = "platform_assets/dbt/manifest.py"
PARSED = "tests/dbt/test_manifest.py"

MUTANTS = (
    Mutant(
        "newest-loads-count-as-settled",
        CHANGES,
        "_SETTLED = 600.0",
        "_SETTLED = 0.0",
        (f"{CHANGED}::test_an_event_that_is_stored_late_is_not_missed",),
    ),
    Mutant(
        "known-change-forgotten",
        CHANGES,
        "                change = known.change if known else None\n",
        "                change = None\n",
        (f"{CHANGED}::test_what_was_found_is_found_again_until_a_build_has_read_it",),
    ),
    Mutant(
        "known-time-trusted-for-older-builds",
        CHANGES,
        "            if before is not None and before.since > since:",
        "            if False:",
        (f"{CHANGED}::test_a_model_that_was_built_longer_ago_is_searched_from_there",),
    ),
    Mutant(
        "deleted-models-not-noticed",
        MANIFEST,
        "        yield project_dir() / name\n",
        "",
        (f"{PARSED}::test_each_change_of_the_files_is_parsed_once[_delete]",),
    ),
    Mutant(
        "edits-while-dbt-parses-lost",
        MANIFEST,
        "        os.utime(written, ns=(started, started))\n",
        "        os.utime(written, ns=(started + 10**9, started + 10**9))\n",
        (f"{PARSED}::test_what_is_edited_while_dbt_parses_is_parsed_the_next_time",),
    ),
    Mutant(
        "dbts-own-manifest-read",
        "platform_assets/dbt/program.py",
        'PARSED = Path("target", "parsed", "manifest.json")',
        'PARSED = Path("target", "manifest.json")',
        (f"{PARSED}::test_half_a_manifest_of_another_dbt_is_not_read",),
    ),
)
