"""Every command in the console and shell blocks of README.md and docs/ runs, or is listed here with the reason why not.

The commands of ours run against the sandbox and a warehouse that all of them share. Those that would load or verify a
whole platform are narrowed to one of its small assets by a further option; tests/cli has the whole ones.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from platform_assets.declarations import Platform, validate
from platform_assets.platform_files.reader import parse_platform
from platform_assets.sandbox import SandboxServer
from tests.cli.command import ROOT, command, warm_command
from tests.settings import sandbox_settings

# Runs as a whole, on the API that it shows: test_your_own_api.py.
OWN_API = ROOT / "docs" / "your-own-api.md"
DOCUMENTS = (ROOT / "README.md", *(path for path in sorted((ROOT / "docs").rglob("*.md")) if path != OWN_API))
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# How a command begins -> why no test runs it.
NOT_RUN = {
    "make": "installs, or runs the other commands; the targets exist by test_references.py, and .ci/run runs them",
    "source .venv/bin/activate": "the tests' environment is active",
    "platform-assets new": "makes a platform for all commands that follow: tests/cli/test_new.py",
    "platform-assets dev": "runs until Ctrl-C: tests/cli/test_dev.py",
    "dg check": "needs a project of its own: tests/components/test_project.py",
    "dg dev": "runs until Ctrl-C",
    "dg launch --assets key:shop/orders": "needs a project of its own: tests/components/test_project.py",
    "dg launch --job sync_shop": "needs a project of its own: tests/components/test_project.py",
    "dg list components": "needs a project of its own: tests/components/test_project.py",
    "dg scaffold": "needs a project of its own: tests/components/test_project.py",
    "dg utils refresh-defs-state": "needs a project of its own: tests/components/test_discovered.py",
    "dagster-daemon run": "runs until it is stopped",
    "dagster-webserver": "runs until it is stopped",
    "uv sync": "installs packages",
    "pg_dump": "needs a server of Postgres: tests/warehouse/test_backup.py",
    "pg_restore": "needs a server of Postgres: tests/warehouse/test_backup.py",
    "git pull": "changes the checkout",
    "platform-assets import": "needs a file of the reader's: tests/cli/test_import.py",
    "platform-assets check --platform github": "is what import.md makes",
    "platform-assets sync --platform github": "is what import.md makes",
    "platform-assets --install-completion": "edits the files of the shell: tests/cli/test_completion.py",
}
# Platform -> an asset that is quick to load.
SMALL = {
    "ci_analytics": "ci_analytics/access_token",
    "crm": "crm/roles",
    "load_testing": "load_testing/organizations",
}
# What the commands expect to be loaded.
LOADED = (
    "*/roles",
    "ci_analytics/access_token",
    "ci_analytics/organizations",
    "crm/deals",
    "crm/pipelines",
    "crm/stages",
    "load_testing/organizations",
)


def documented() -> dict[str, list[str]]:
    """Command -> the `export` lines that stand before it in its block. A line of exports only is a command, too."""
    found: dict[str, list[str]] = {}
    for document in DOCUMENTS:
        for language, block in FENCED.findall(document.read_text(encoding="utf-8")):
            if language not in ("console", "shell"):
                continue
            exports: list[str] = []
            for line in block.splitlines():
                text = re.sub(r"\s+#.*", "", line).strip()
                if text.startswith("export "):
                    exports.append(text)
                if text and not text.startswith("#"):
                    found.setdefault(text, list(exports))
    return found


COMMANDS = documented()


RUN = [text for text in COMMANDS if not any(text == known or text.startswith(f"{known} ") for known in NOT_RUN)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the project's, for a warehouse and the dbt project."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "data").mkdir()
    shutil.copytree(ROOT / "dbt_project", folder / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))
    return folder


@pytest.fixture(scope="module")
def settings(place: Path) -> Iterator[Mapping[str, str]]:
    """The variables of a sandbox and a warehouse in which some tables are loaded."""
    with SandboxServer() as server:
        variables = {
            **sandbox_settings(server),
            "DESTINATION__DUCKDB__CREDENTIALS": str(place / "data" / "warehouse.duckdb"),
            "DAGSTER_HOME": str(place / "data" / "dagster_home"),
            "SANDBOX__DAY": "2026-01-15",
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        selected = [word for name in LOADED for word in ("--select", name)]
        done = warm_command("sync", "--no-models", *selected, env=variables)
        assert done.returncode == 0, done.stderr
        yield variables


@pytest.fixture(scope="module")
def ran() -> set[tuple[str, ...]]:
    """What has run already: several documented commands are the same once they are narrowed."""
    return set()


def narrowed(words: list[str]) -> list[str]:
    """The command, kept to a small asset if it would load or verify a whole platform, and without the models."""
    options = list(words)
    if words[0] in ("sync", "verify") and not {"--select", "--start-over"} & set(words):
        platform = words[words.index("--platform") + 1] if "--platform" in words else "crm"
        options += ["--select", SMALL[platform]]
    return [*options, "--no-models"] if words[0] == "sync" and "--no-models" not in words else options


@pytest.mark.slow
@pytest.mark.parametrize("text", RUN)
def test_a_documented_command_runs(
    text: str, settings: Mapping[str, str], place: Path, ran: set[tuple[str, ...]]
) -> None:
    program, *words = shlex.split(text)
    if program != "platform-assets":
        script = "\n".join(["set -e", *COMMANDS[text], text])
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=place,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
    elif words[0] in ("sync", "verify"):
        options = tuple(narrowed(words))
        if options in ran:
            return
        ran.add(options)
        done = warm_command(*options, env=settings)
    else:
        exported = dict(line.removeprefix("export ").split("=", 1) for line in COMMANDS[text])
        done = command(*words, env={**settings, **exported}, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    assert not [known for known in NOT_RUN if not any(f"{text} ".startswith(f"{known} ") for text in COMMANDS)]


def test_the_platform_to_copy_is_valid() -> None:
    document = (ROOT / "docs" / "adding-a-platform.md").read_text(encoding="utf-8")
    found = [block for language, block in FENCED.findall(document) if language == "python"]
    # Others show one endpoint.
    blocks = [block for block in found if "PLATFORM = " in block]
    platforms: list[Platform] = []
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, "docs/adding-a-platform.md", "exec"), names)
        platform = names["PLATFORM"]
        assert isinstance(platform, Platform) and validate([platform]) == (platform,)
        platforms.append(platform)
    (text,) = [block for language, block in FENCED.findall(document) if language == "yaml"]
    assert parse_platform(text, "docs/adding-a-platform.md") == platforms[0], "it says that both are the same"
