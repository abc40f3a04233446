"""Draws docs/lineage.svg: platforms, their tables, staging models and marts.

The picture is made from the declarations and from the references in the SQL of the models. With `--check` it is only
compared. Run `python docs/draw_lineage.py` after a resource or a model was added; `make format` does, too.
Light and dark follow the system by a media query in the file itself.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from platform_assets.declarations import Platform
from platform_assets.platforms import shipped_platforms

DOCS = Path(__file__).resolve().parent
MODELS = DOCS.parent / "dbt_project" / "models"
TARGET = DOCS / "lineage.svg"
REFERENCE = re.compile(r"""(?:ref|source)\(['"]?(\w+)['"]?(?:,\s*['"]\w+['"])?\)""")

WIDTH, MARGIN, LINE, PADDING, GAP = 900, 10, 17, 9, 14
# Left edge and width of each column: platforms, tables, staging models, marts.
COLUMNS = ((MARGIN, 160), (196, 358), (580, 120), (726, 164))
HEADS = ("API", "raw tables, loaded by dlt", "staging (dbt)", "marts (dbt)")
# From this many tables on, they stand in two columns.
ONE_COLUMN = 5
STYLE = """
text { font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.head, .note { fill: #59636e } .name { font-weight: 600 } .child { fill: #0b57d0 }
rect { fill: #f6f8fa; stroke: #d1d9e0 } path { stroke: #818b98; fill: none } marker path { fill: #818b98; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .head, .note { fill: #9198a1 } .child { fill: #79b8ff }
  rect { fill: #151b23; stroke: #3d444d } path { stroke: #9198a1 } marker path { fill: #9198a1 }
}"""


def tables(platform: Platform) -> Iterator[tuple[str, str]]:
    """(text, class) of each table; children stand below their parent."""
    children = [resource for resource in platform.resources if resource.parent]
    for resource in platform.resources:
        if resource.parent is None:
            yield resource.name, "table"
            yield from ((f"↳ {child.name}", "child") for child in children if child.parent == resource.name)


def marts() -> dict[str, set[str]]:
    """Mart -> the models that its SQL refers to, also those behind another mart."""
    found = {
        path.stem: set(REFERENCE.findall(path.read_text(encoding="utf-8")))
        for path in sorted((MODELS / "marts").rglob("*.sql"))
    }
    for _ in found:
        found = {name: used.union(*(found.get(one, ()) for one in used)) for name, used in found.items()}
    return found


def staging(platform: Platform) -> list[str]:
    return sorted(path.stem for path in (MODELS / "staging").rglob(f"stg_{platform.name}__*.sql"))


def text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(words)}</text>'


def box(column: int, top: int, height: int, lines: Sequence[tuple[str, str]], in_two: bool = False) -> Iterator[str]:
    """A box with its lines, centred from top to bottom."""
    left, width = COLUMNS[column]
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    rows = (len(lines) + 1) // 2 if in_two else len(lines)
    first = top + (height - rows * LINE) // 2 + 13
    for place, (words, kind) in enumerate(lines):
        x = left + PADDING + (width // 2 if place >= rows else 0)
        yield text(x, first + place % rows * LINE, words, kind)


def arrow(column: int, y: int) -> str:
    left, width = COLUMNS[column]
    return f'<path d="M{left + width + 3} {y}H{COLUMNS[column + 1][0] - 4}" marker-end="url(#to)"/>'


def draw() -> str:
    """The whole picture."""
    found, body, top = marts(), [], 34
    body += [text(left, 20, head, "head") for head, (left, _) in zip(HEADS, COLUMNS, strict=True)]
    placed: set[str] = set()
    for platform in shipped_platforms():
        raw, models = list(tables(platform)), staging(platform)
        own = [name for name, sources in found.items() if sources & set(models)]
        placed.update(own)
        in_two = len(raw) > ONE_COLUMN
        rows = (len(raw) + 1) // 2 if in_two else len(raw)
        height = max(rows, len(own), 2) * LINE + 2 * PADDING
        unpacked = len(models) - len(raw)
        about = [(f"{len(models)} models", "name")] + [
            (f"{unpacked} unpacked list{'s' * (unpacked > 1)}", "note")
        ] * bool(unpacked)
        count = f"{len(raw)} resources"
        body += box(0, top, height, [(platform.title, "name"), (count, "note")])
        body += box(1, top, height, raw, in_two)
        body += box(2, top, height, about)
        body += box(3, top, height, [(name.removeprefix(f"{platform.name}_"), "table") for name in own])
        body += [arrow(column, top + height // 2) for column in range(3)]
        top += height + GAP
    rest = [name for name in found if name not in placed]
    height = len(rest) * LINE + 2 * PADDING
    body.append(text(MARGIN, top + 13, "↳ child of the table above it: a Dagster partition per parent,", "child"))
    body.append(text(MARGIN, top + 13 + LINE, "or a fixed number of them if there are many parents", "child"))
    body.append(text(COLUMNS[2][0] - 70, top + height // 2 + 4, "log of syncs of every platform", "note"))
    body += [arrow(2, top + height // 2), *box(3, top, height, [(name, "table") for name in rest])]
    bottom = top + max(height, 2 * LINE) + MARGIN
    title = "Lineage: APIs of five platforms, their raw tables, staging models and marts"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" width="{WIDTH}" height="{bottom}"'
            ' role="img" aria-labelledby="title">',
            f'<title id="title">{title}</title>',
            f"<style>{STYLE}\n</style>",
            '<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z"/></marker></defs>',
            *body,
            "</svg>\n",
        ]
    )


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it if `--check` is given. Returns the exit code."""
    picture = draw()
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == picture:
        return 0
    if "--check" in arguments:
        print(f"docs/{TARGET.name}: the picture of the lineage is out of date; run `python docs/draw_lineage.py`")
        return 1
    TARGET.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
