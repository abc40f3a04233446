"""Draws docs/tables/: a page per platform with its tables and their columns: `python docs/draw_dictionary.py`.

Types and meanings are those of the declarations, as Dagster and dbt's sources show them. With `--check` the pages are
only compared. `make format` draws them, too.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from dlt.common.normalizers.naming.snake_case import NamingConvention

from platform_assets.declarations import Platform, Resource
from platform_assets.platforms import shipped_platforms
from platform_assets.warehouse.column_descriptions import column_descriptions
from platform_assets.warehouse.dlt_source import table_columns

TABLES = Path(__file__).resolve().parent / "tables"
MADE = "Made by `python docs/draw_dictionary.py` from the declarations; edit those instead.\n"
NAMING = NamingConvention()


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def table(platform: Platform, resource: Resource) -> Iterator[str]:
    """The section of one table."""
    yield f"\n## {resource.name}\n\n{resource.description}\n"
    facts = [f"Table `{platform.name}.{resource.name}`", f"key `{'`, `'.join(platform.primary_key_of(resource))}`"]
    if resource.parent:
        facts.append(f"read per row of `{resource.parent}`")
    facts.append(f"staging model `stg_{platform.name}__{resource.name}`")
    vendors = platform.docs_url_of(resource)
    if vendors:
        facts.append(f"[the vendor's page]({vendors})")
    yield f"{'; '.join(facts)}.\n\n| column | type | meaning |\n|---|---|---|"
    types = table_columns(platform, resource, NAMING, None).types
    for name, text in column_descriptions(platform, resource, NAMING).items():
        yield f"| `{name}` | {types[name]} | {cell(text)} |"


def page(platform: Platform) -> str:
    sections = [line for resource in platform.resources for line in table(platform, resource)]
    return "\n".join([f"# Tables of {platform.name}\n\n{platform.description}\n\n{MADE}", *sections]) + "\n"


def index() -> str:
    """The page that lists the others."""
    lines = ["# Tables and columns\n", MADE, "| platform | tables |\n|---|---|"]
    for platform in shipped_platforms():
        names = ", ".join(f"[{one.name}]({platform.name}.md#{one.name})" for one in platform.resources)
        lines.append(f"| [{platform.name}]({platform.name}.md) | {names} |")
    lines.append(
        "\nFields that the API sends beyond these become columns as they appear. Columns that begin with `_` are the"
        "\nwarehouse's own. The models built on the tables are described in `dbt_project/models`, and in Dagster's UI."
    )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them if `--check` is given. Returns the exit code."""
    pages = {TABLES / "README.md": index()}
    pages |= {TABLES / f"{platform.name}.md": page(platform) for platform in shipped_platforms()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += set(TABLES.glob("*.md")) - pages.keys()
    if "--check" in arguments:
        for path in stale:
            print(f"docs/tables/{path.name} is out of date; run `python docs/draw_dictionary.py`")
        return 1 if stale else 0
    TABLES.mkdir(exist_ok=True)
    for path in stale:
        if path in pages:
            path.write_text(pages[path], encoding="utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
