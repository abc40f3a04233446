"""Mutants of `configuration`: a setting that is ignored."""

from tests.mutants.mutant import Mutant

SETTINGS = "tests/configuration/test_settings.py"

MUTANTS = (
    Mutant(
        "allowed-lag-ignored",
        "platform_assets/configuration/platform_settings.py",
        "return platform.freshness_of(resource).allowed_lag if lag is None else lag",
        "return platform.freshness_of(resource).allowed_lag",
        ("tests/orchestration/test_lateness.py::test_the_ui_uses_the_allowed_lag_setting",),
    ),
    Mutant(
        "file-before-variable",
        "platform_assets/configuration/lookup.py",
        "    if value is not None:\n        return value\n",
        "",
        ("tests/configuration/test_lookup.py::test_the_same_is_found_as_by_dlt",),
    ),
    Mutant(
        "dlt-not-asked-for-a-vault",
        "platform_assets/configuration/lookup.py",
        '"providers" not in document',
        "True",
        ("tests/configuration/test_lookup.py::test_dlt_is_asked_where_it_may_know_more",),
    ),
    Mutant(
        "unknown-variable-ignored",
        "platform_assets/configuration/unknown.py",
        "return [*_in_variables(keys), *_in_files(keys)]",
        "return [*_in_files(keys)]",
        (f"{SETTINGS}::test_a_misspelt_variable_is_reported_with_a_suggestion",),
    ),
    Mutant(
        "unknown-file-key-ignored",
        "platform_assets/configuration/unknown.py",
        "return [*_in_variables(keys), *_in_files(keys)]",
        "return [*_in_variables(keys)]",
        (f"{SETTINGS}::test_a_broken_or_misspelt_settings_file_is_reported_in_one_line[misspelt key]",),
    ),
)
