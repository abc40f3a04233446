"""Draw the rooms of `platform_assets` and the imports between them into CONTRIBUTING.md, as a Mermaid graph.

The picture is made from the source, so it cannot show a house that is not there:

1. parse every module, and collect which room (folder, or top-level module) imports which;
2. leave out an arrow that a longer path implies: if A imports B and B imports C, A -> C adds nothing to see;
3. put rooms that import Dagster into one box, the others into another;
4. write the graph between the markers, or with `--check` only compare.

Run `python docs/draw_imports.py` after a room or an import between rooms was added; `make format` does, too.
Whether an import is allowed at all is not decided here but by `lint-imports` (the layers in pyproject.toml).
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "platform_assets"
TARGET = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- imports: begin (python docs/draw_imports.py) -->", "<!-- imports: end -->"


def imported_names(source: str) -> Iterator[str]:
    """Every module that the source imports, as a dotted name; imports inside functions count too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def read_rooms(package: Path) -> tuple[dict[str, set[str]], set[str]]:
    """Room -> rooms it imports, and the rooms that import Dagster."""
    imports: dict[str, set[str]] = {}
    with_dagster: set[str] = set()
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        targets = imports.setdefault(room, set())
        for name in imported_names(path.read_text(encoding="utf-8")):
            top, _, rest = name.partition(".")
            if top == PACKAGE and rest:
                targets.add(rest.split(".")[0])
            elif top.startswith("dagster"):
                with_dagster.add(room)
        targets.discard(room)
    return imports, with_dagster


def without_implied(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same graph without arrows that a longer path implies.

    Raises graphlib.CycleError if rooms import each other in a circle.
    """
    reachable: dict[str, set[str]] = {}
    for room in TopologicalSorter(imports).static_order():
        direct = imports.get(room, set())
        reachable[room] = direct.union(*(reachable[target] for target in direct))
    return {
        room: {target for target in targets if not any(target in reachable[other] for other in targets)}
        for room, targets in imports.items()
    }


def draw(imports: dict[str, set[str]], with_dagster: set[str]) -> str:
    """The graph as a fenced Mermaid block."""
    boxes = {
        "control plane (knows Dagster)": sorted(with_dagster),
        "data plane": sorted(imports.keys() - with_dagster),
    }
    lines = ["```mermaid", "graph TD"]
    for number, (title, rooms) in enumerate(boxes.items()):
        lines += [f'  subgraph box{number}["{title}"]', *(f"    {room}" for room in rooms), "  end"]
    arrows = without_implied(imports)
    lines += [f"  {room} --> {target}" for room in sorted(arrows) for target in sorted(arrows[room])]
    return "\n".join([*lines, "```"])


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it if `--check` is given. Returns the exit code."""
    text = TARGET.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    try:
        picture = draw(*read_rooms(ROOT / PACKAGE))
    except CycleError as error:
        print(f"rooms import each other in a circle: {' -> '.join(error.args[1])}")
        return 1
    current = f"{before}{BEGIN}\n{picture}\n{END}{after}"
    if current == text:
        return 0
    if "--check" in arguments:
        print(f"{TARGET.name}: the picture of the imports is out of date; run `python docs/draw_imports.py`")
        return 1
    TARGET.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
