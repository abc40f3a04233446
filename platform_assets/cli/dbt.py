"""`platform-assets dbt`: the environment's dbt in the project's folder, on the warehouse that the settings name."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from itertools import pairwise

from platform_assets.configuration import environment
from platform_assets.configuration.freshness import lag_variables
from platform_assets.counted import counted
from platform_assets.dbt.existing import (
    existing_relations,
    missing_sources,
    models_without_tables,
    unit_tests_without_tables,
)
from platform_assets.dbt.manifest import read_manifest
from platform_assets.dbt.program import executable, project_dir
from platform_assets.platforms import all_platforms
from platform_assets.warehouse.errors import WarehouseError
from platform_assets.warehouse.location import check_settings, dbt_variables, exclusive_for_child, missing_file

# dbt's commands that never open the database. All others take our lock: DuckDB lets one process open a file.
_WITHOUT_DATABASE = {"clean", "deps", "init", "list", "ls", "parse"}
# Those that read tables, each model's or source's own. What is not loaded is left out of them.
_OF_TABLES = {"build", "run", "source", "test"}
_OTHERS = {"clone", "compile", "debug", "docs", "retry", "run-operation", "seed", "show", "snapshot"}
_COMMANDS = _WITHOUT_DATABASE | _OF_TABLES | _OTHERS
# Options before the command whose value may look like one.
_LOG_LEVELS = ("--log-level", "--log-level-file")


def run_dbt(words: Sequence[str]) -> int:
    """Run dbt with these words; its exit code, or 128 plus the number of the signal that ended it.

    Raises SettingsError or WarehouseError if the warehouse cannot be used.
    """
    check_settings()
    command = dbt_command(words)
    help_wanted = not {"--help", "-h"}.isdisjoint(words)
    with environment({**dbt_variables(), **lag_variables(all_platforms())}):
        if command in _WITHOUT_DATABASE | {None} or help_wanted or _serves_documentation(words):
            return _run(words)
        missing = missing_file()
        if missing is not None and command in _OF_TABLES:
            raise WarehouseError(f"there is no warehouse at {missing} yet: `platform-assets sync` makes it")
        more = _without_missing_tables() if command in _OF_TABLES and "--selector" not in words else []
        with exclusive_for_child("models"):
            return _run([*words, *more])


def dbt_command(words: Sequence[str]) -> str | None:
    """Which of dbt's commands the words are, None for one that only says something, e.g. `--version`."""
    before = ["", *words]
    named = (word for previous, word in zip(before, words, strict=False) if previous not in _LOG_LEVELS)
    return next((word for word in named if word in _COMMANDS), None)


def _serves_documentation(words: Sequence[str]) -> bool:
    """`docs serve` reads files that `docs generate` wrote, and runs until it is ended."""
    return ["docs", "serve"] in (list(pair) for pair in pairwise(words))


def _without_missing_tables() -> list[str]:
    """Options that leave out the sources without a table and the models below them, which a line on stderr names."""
    manifest = read_manifest()
    sources = missing_sources(manifest, existing_relations())
    if not sources:
        return []
    models = models_without_tables(manifest, sources)
    print(left_out_line(manifest, sources.keys(), len(models)), file=sys.stderr)
    unit_tests = unit_tests_without_tables(manifest, sources.keys())
    return ["--exclude", *(f"source:{name}" for name in sources.values()), *models.values(), *unit_tests]


def left_out_line(manifest: Mapping[str, object], missing: Set[str], models: int) -> str:
    """One line that names what was not loaded: whole platforms, or tables."""
    of_platform: dict[str, set[str]] = defaultdict(set)
    sources: Mapping[str, Mapping[str, str]] = manifest["sources"]  # pyright: ignore[reportAssignmentType] -- as dbt writes it
    for unique_id, source in sources.items():
        of_platform[source["source_name"]].add(unique_id)
    names: list[str] = []
    for platform, tables in of_platform.items():
        gone = tables & missing
        names += [platform] if gone == tables else sorted(f"{platform}/{sources[table]['name']}" for table in gone)
    return f"not loaded, so left out with {counted(models, 'model')}: {', '.join(names)}"


def _run(words: Sequence[str]) -> int:
    """Run dbt to its end. It gets what ends this process, and ends in order."""
    sys.stdout.flush()
    process = subprocess.Popen([executable(), *words], cwd=project_dir())

    def forward(number: int, _: object) -> None:
        # A terminal's Ctrl-C reaches dbt by itself, and a second interrupt would cut its end short.
        if number != signal.SIGINT or not os.isatty(0):
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code
