"""Mutants of `importing`: streams that would be carried and not load, or ask for something else."""

from tests.mutants.mutant import Mutant

MANIFEST = "platform_assets/importing/manifest"
CONVERTING = "tests/importing/manifest/test_converting.py"

MUTANTS = (
    Mutant(
        "key-that-no-record-has",
        f"{MANIFEST}/converting.py",
        "            if keys[0] in left_out:",
        "            if False:",
        (f"{CONVERTING}::test_what_a_key_needs_and_is_not_carried_makes_it_a_hash",),
    ),
    Mutant(
        "first-page-counted-otherwise",
        f"{MANIFEST}/paging.py",
        "if not self._injects_first and self.counted.first != first:",
        "if False:",
        (f"{CONVERTING}::test_a_position_that_is_not_counted_from_the_first_page_on_is_not_carried",),
    ),
    Mutant(
        "address-of-another-server-behind-ours",
        f"{MANIFEST}/requesting.py",
        "if isinstance(path, str) and (found := _ORIGIN.fullmatch(path.strip())):",
        "if isinstance(path, str) and (found := _ORIGIN.fullmatch('')):",
        (f"{CONVERTING}::test_a_path_that_is_an_address_or_has_a_query_without_names",),
    ),
    Mutant(
        "query-without-names-is-dropped",
        f"{MANIFEST}/requesting.py",
        """    if "=" not in outside[at:]:""",
        "    if False:",
        (f"{CONVERTING}::test_a_path_that_is_an_address_or_has_a_query_without_names",),
    ),
    Mutant(
        "secret-in-an-address",
        f"{MANIFEST}/requesting.py",
        '        findings.assumed(None, "url_base", why)\n        return None',
        '        findings.assumed(None, "url_base", why)\n        return text',
        (f"{CONVERTING}::test_an_address_that_is_computed_from_a_credential_is_a_setting",),
    ),
)
