"""Mutants of `platform_files` and of how `platforms` finds the user's: a file that is read as something else."""

from tests.mutants.mutant import Mutant

READER = "tests/platform_files/test_reader.py"
FOLDER = "tests/platforms/test_user_folder.py"
OPENAPI = "tests/platform_files/test_openapi.py"

MUTANTS = (
    Mutant(
        "doubtful-text-unquoted",
        "platform_assets/platform_files/writer.py",
        "style = '\"' if is_doubtful(text) else",
        "style = '\"' if False else",
        ("tests/platform_files/test_round_trip.py::test_texts_that_yaml_would_change_stay",),
    ),
    Mutant(
        "aliases-count-once",
        "platform_assets/platform_files/document.py",
        "self._count(event, node.size)",
        "self._count(event, 1)",
        (f"{READER}::test_an_alias_counts_as_often_as_it_is_repeated",),
    ),
    Mutant(
        "line-of-the-reader",
        "platform_assets/platform_files/reader.py",
        "return stand_on_line(made, node.line)",
        "return made",
        (f"{READER}::test_what_cannot_run_is_reported_at_its_resource",),
    ),
    Mutant(
        "tags-read",
        "platform_assets/platform_files/document.py",
        "if event.tag is not None and not _is_implied(event):",
        "if False:",
        (f"{READER}::test_a_wrong_value_is_reported_where_it_stands",),
    ),
    Mutant(
        "any-python-is-run",
        "platform_assets/platform_files/loading.py",
        "return path.is_file() and _IMPORTED in path.read_bytes()",
        "return path.is_file()",
        (f"{FOLDER}::test_python_that_is_none_of_ours_is_not_run",),
    ),
    Mutant(
        "broken-replacement-reads-ours",
        "platform_assets/platforms/__init__.py",
        "for name, platform in by_name.items() if name not in meant]",
        "for name, platform in by_name.items()]",
        (f"{FOLDER}::test_a_file_replaces_the_platform_of_its_name_and_a_broken_one_leaves_it_out",),
    ),
    Mutant(
        "file-read-once",
        "platform_assets/platforms/__init__.py",
        "if known == files and beside is shipped:",
        "if beside is shipped:",
        (f"{FOLDER}::test_an_edit_is_seen_by_the_next_who_asks",),
    ),
    Mutant(
        "token-from-another-host",
        "platform_assets/platform_files/openapi/draft.py",
        'return address.removeprefix(url) if address.startswith(f"{url}/") else None',
        "return urlsplit(address).path",
        (f"{OPENAPI}::test_the_credential_is_sent_as_the_specification_says",),
    ),
    Mutant(
        "unknown-paging-read-as-one-page",
        "platform_assets/platform_files/openapi/paging.py",
        'return Paging(None, f"it pages by',
        'return Paging(SinglePage(), f"it pages by',
        (f"{OPENAPI}::test_a_list_that_pages_in_an_unknown_way_is_not_read_in_part",),
    ),
)
