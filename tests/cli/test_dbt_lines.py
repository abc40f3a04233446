"""`platform-assets dev` shows two lines of a dbt build, and everything else as it is."""

from platform_assets.cli.dbt_lines import DbtLines

# As dbt 1.11 prints it.
BUILD = """\
Running with dbt=1.11.16
Registered adapter: duckdb=1.11.1
Found 69 models, 171 data tests, 57 sources, 533 macros, 7 unit tests

Concurrency: 2 threads (target='duckdb')

1 of 3 START sql table model marts.platform_health ........................... [RUN]
2 of 3 START sql view model staging.stg_crm__deals ........................... [RUN]
1 of 3 OK created sql table model marts.platform_health ...................... [\x1b[32mOK\x1b[0m in 0.42s]
2 of 3 OK created sql view model staging.stg_crm__deals ...................... [\x1b[32mOK\x1b[0m in 0.13s]
3 of 3 WARN 2 relationships_stg_crm__deals_owner_id .......................... [\x1b[33mWARN 2\x1b[0m in 0.03s]

Completed with 1 warning:
Done. PASS=2 WARN=1 ERROR=0 SKIP=0 NO-OP=0 TOTAL=3
"""
BROKEN = """\
Running with dbt=1.11.16
Encountered an error:
"""


def shown(text: str) -> list[str]:
    lines = DbtLines()
    return [said for line in text.splitlines() if (said := lines.reduced(line)) is not None]


def test_a_build_is_two_lines_and_other_lines_stay() -> None:
    expected = ["dbt: 3 models and tests ...", "dbt: 2 passed, 1 warned, 0 failed, 0 skipped"]
    assert shown(f"before\n{BUILD}between\n{BUILD}1 of 2 START by a user") == [
        *("before", *expected),
        *("between", *expected, "1 of 2 START by a user"),
    ]


def test_a_build_that_ends_before_its_first_model_hides_nothing_later() -> None:
    assert shown(f"{BROKEN}later") == ["dbt: ended with an error", "later"]
