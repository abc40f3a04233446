"""A hook of mkdocs: what the pages link to outside docs/ becomes a page of the site, so that a link works everywhere.

On GitHub `../SECURITY.md` leads to the file. The site has no files outside docs/, so the hook adds each linked one
under `repository/`: Markdown as it is, with its own links followed likewise; source code as a page with the code. A
link to a folder becomes plain text. A Mermaid graph, which needs a script from elsewhere, becomes a table of its
arrows.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
FOLDER = "repository"
# Not missing in the navigation.
FOUND_BY_LINKS = InclusionLevel.NOT_IN_NAV
# Heads a page of code: who searches for a message wants the page that explains it, not the test that provokes it.
NOT_FOUND_BY_SEARCH = "---\nsearch:\n  exclude: true\n---\n"
# What mkdocs takes from docs/ by itself.
SERVED = (".md", ".png", ".svg")
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
MERMAID = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARROW = re.compile(r"^\s*(\w+) --> (\w+)$", re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]\(([^()\s]+)\)")


def is_inside(source: Path) -> bool:
    return source.is_relative_to(DOCS) and source.suffix in SERVED


def source_of(page: str) -> Path:
    """The file of the repository that a page of the site was made from."""
    inside = page.removeprefix(f"{FOLDER}/")
    return (
        DOCS / page if inside == page else ROOT / (inside if (ROOT / inside).exists() else inside.removesuffix(".md"))
    )


def page_of(source: Path) -> str:
    """The page, or file, of the site for a file of the repository."""
    if is_inside(source):
        return source.relative_to(DOCS).as_posix()
    name = f"{FOLDER}/{source.relative_to(ROOT).as_posix()}"
    return name if source.suffix in SERVED else f"{name}.md"


def linked(text: str, source: Path) -> set[Path]:
    """The files outside docs/ that a page links to."""
    targets = {target.split("#")[0] for _, _, target in LINK.findall(FENCED.sub("", text)) if "://" not in target}
    paths = {(source.parent / target).resolve() for target in targets if target}
    return {path for path in paths if path.is_file() and not is_inside(path) and path.is_relative_to(ROOT)}


def arrows(graph: re.Match[str]) -> str:
    """The arrows of a Mermaid graph as a table; the graph itself if it has none."""
    found: dict[str, list[str]] = {}
    for start, end in ARROW.findall(graph[1]):
        found.setdefault(start, []).append(end)
    if not found:
        return graph[0]
    rows = (f"| {start} | {', '.join(ends)} |" for start, ends in found.items())
    return "\n".join(["| from | to |", "|---|---|", *rows])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside docs/ that a page leads to."""
    todo = [source_of(file.src_uri) for file in files.documentation_pages()]
    seen: set[Path] = set()
    while todo:
        source = todo.pop()
        if source.suffix != ".md":
            continue
        for path in linked(source.read_text(encoding="utf-8"), source) - seen:
            seen.add(path)
            todo.append(path)
            name = page_of(path)
            if name.endswith(".md") and path.suffix != ".md":
                title = path.relative_to(ROOT).as_posix()
                code = path.read_text(encoding="utf-8")
                content = f"{NOT_FOUND_BY_SEARCH}# {title}\n\n````{path.suffix.removeprefix('.')}\n{code}````\n"
                files.append(File.generated(config, name, content=content, inclusion=FOUND_BY_LINKS))
            else:
                files.append(File.generated(config, name, abs_src_path=str(path), inclusion=FOUND_BY_LINKS))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead each link to the page of the site for its target."""
    source = source_of(page.file.src_uri)
    if source.suffix != ".md":
        return markdown

    def replace(found: re.Match[str]) -> str:
        image, text, target = found.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path or target.startswith("mailto:"):
            return found[0]
        full = (source.parent / path).resolve()
        if full.is_dir():
            return text
        if not full.exists():
            return found[0]  # --strict then fails at it
        relative = os.path.relpath(page_of(full), Path(page.file.src_uri).parent)
        return f"{image}[{text}]({relative}{'#' if anchor else ''}{anchor})"

    parts = FENCED.split(MERMAID.sub(arrows, markdown))
    return "".join(part if place % 2 else LINK.sub(replace, part) for place, part in enumerate(parts))
