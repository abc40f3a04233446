"""Everything that the documentation names exists: files, symbols in them, tests, make targets, commands and options."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.core

from platform_assets.cli.app import app
from platform_assets.configuration.known import known_keys
from platform_assets.platforms import all_platforms

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "platform_assets/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    # Documents that people gave us.
    if "configs" not in path.parts
)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# A code span is a path if it ends like one of the project's files or begins with one of its folders.
PATH = re.compile(
    r"(?:[\w.-]+/)+[\w.-]+\.(?:py|md|sql|yml|yaml|toml|png)|(?:tests|docs|benchmarks|platform_assets)/[\w./-]*"
)
# Created by the user, or not at all.
CREATED_LATER = ("data/", ".dlt/", "platforms/shop")


def outside_of_blocks(document: Path) -> str:
    return FENCED.sub("", document.read_text(encoding="utf-8"))


def console_lines(document: Path) -> Iterator[list[str]]:
    """The words of each command in the document's console blocks."""
    for language, block in FENCED.findall(document.read_text(encoding="utf-8")):
        if language == "console":
            yield from (shlex.split(line, comments=True) for line in block.splitlines())


def in_every_document(test):
    return pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))(test)


@in_every_document
def test_linked_files_exist_and_hold_the_symbol_that_the_link_names(document: Path) -> None:
    problems = []
    for text, target in LINK.findall(outside_of_blocks(document)):
        if "://" in target or target.startswith(("mailto:", "#")):
            continue
        path = document.parent / target.split("#")[0]
        symbol = re.fullmatch(r"`([A-Za-z_]\w*)`", text)
        if not path.exists():
            problems.append(f"{target} does not exist")
        elif symbol and path.suffix == ".py" and not re.search(rf"\b{symbol[1]}\b", path.read_text(encoding="utf-8")):
            problems.append(f"{target} has no {symbol[1]}")
    assert not problems


@in_every_document
def test_named_files_exist(document: Path) -> None:
    named = [span for span in CODE.findall(outside_of_blocks(document)) if PATH.fullmatch(span)]
    places = (ROOT, ROOT / "platform_assets", document.parent)
    assert not [
        span
        for span in named
        if not span.startswith(CREATED_LATER) and not any((place / span).exists() for place in places)
    ]


@in_every_document
def test_named_tests_exist(document: Path) -> None:
    if document.parent == ROOT / "docs" / "tables":
        return  # columns that begin like tests
    named = {span for span in CODE.findall(outside_of_blocks(document)) if re.fullmatch(r"test_\w+", span)}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")] if named else []
    assert not {name for name in named if not any(f"def {name}(" in source for source in sources)}


@in_every_document
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[1] for words in console_lines(document) if words[:1] == ["make"] and len(words) > 1}
    named |= {span.split()[1] for span in CODE.findall(outside_of_blocks(document)) if re.match(r"make [a-z]", span)}
    assert named <= targets


@in_every_document
def test_commands_and_their_options_exist(document: Path) -> None:
    group: Any = typer.main.get_command(app)
    commands: dict[str, Any] = group.commands
    of_all = {option for parameter in group.params for option in parameter.opts}
    spans = [
        shlex.split(span) for span in CODE.findall(outside_of_blocks(document)) if span.startswith("platform-assets")
    ]
    problems = []
    for words in [*console_lines(document), *spans]:
        if not words or not words[0].endswith("platform-assets") or len(words) == 1:
            continue
        if words[1].startswith("--"):
            problems += [] if words[1] in of_all else [f"platform-assets has no {words[1]}"]
            continue
        command = commands.get(words[1])
        if command is None:
            problems.append(f"platform-assets has no {words[1]}")
            continue
        if isinstance(command, typer.core.TyperGroup) and len(words) > 2:
            command = command.commands[words[2]]
        if command.ignore_unknown_options:
            continue  # what follows is dbt's own
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        problems += [f"{words[1]} has no {word}" for word in words[2:] if word.startswith("--") and word not in known]
    assert not problems


def settings_in(document: Path) -> Iterator[tuple[str, str]]:
    """Section and key of each setting in the document's shell and TOML blocks, commented out or not."""
    for language, block in FENCED.findall(document.read_text(encoding="utf-8")):
        if language == "shell":
            for name in re.findall(r"^export (\w+)=", block, re.MULTILINE):
                *section, key = name.lower().split("__")
                yield ".".join(section), key
        if language == "toml":
            uncommented = re.sub(r"^# (?=\w+ = )", "", block, flags=re.MULTILINE)
            for parsed in map(tomllib.loads, re.split(r"^# .dlt/.*$", uncommented, flags=re.MULTILINE)):
                for name, keys in parsed.get("sources", {}).items():
                    yield from ((f"sources.{name}", key) for key in keys)


@in_every_document
def test_settings_to_paste_exist(document: Path) -> None:
    known = known_keys(all_platforms())
    assert not [
        f"{section}.{key}"
        for section, key in settings_in(document)
        if key not in known.get(section, ()) and not section.startswith("destination.")
    ]


def test_the_messages_to_look_up_exist() -> None:
    """Each quoted message in docs/troubleshoot.md, between its dots, stands in the source."""
    table = (ROOT / "docs" / "troubleshoot.md").read_text(encoding="utf-8").split("|---|---|---|")[1]
    quoted = [span for line in table.splitlines() if line for span in CODE.findall(line.split("|")[1])]
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "platform_assets").rglob("*.py")))
    source = re.sub(r'"\s*f?"', "", source)  # one text over several lines
    source = re.sub(r"`?\{[^{}]*\}`?", "...", source)
    parts = [part.strip("`: ") for span in quoted for part in span.split("...")]
    assert not [part for part in parts if part not in source and part != "command not found: platform-assets"]
