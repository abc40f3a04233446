"""Checks of what a platform says for people: descriptions of its columns, and links to the vendor's documents."""

from collections.abc import Iterator

from platform_assets.declarations.nearest import did_you_mean
from platform_assets.declarations.platform import Client, Platform
from platform_assets.declarations.resource import Endpoint

Found = tuple[str, str]
"""(key, what is wrong and how to mend it)"""


def description_problems(platform: Platform) -> Iterator[Found]:
    """Descriptions of nothing: of no declared column, or of columns that all have another one."""
    key = "column_descriptions"
    columns = {f"{one.name}.{name}": name for one in platform.resources for name in one.columns}
    unread = set(columns.values()) - {
        name for full, name in columns.items() if full not in platform.column_descriptions
    }
    known = {*columns, *columns.values()}
    for name, text in platform.column_descriptions.items():
        if name not in known:
            yield key, f"no resource has a column {name!r}{did_you_mean(name, known)}"
        elif name in unread and name not in columns:
            yield key, f"{name!r} is never read: each table with it has a description of its own"
        elif not text.strip():
            yield key, f"{name!r} is empty; leave it out"


def link_problems(declared: Client | Endpoint) -> Iterator[Found]:
    """A link that a browser would not open as one to a vendor."""
    url = declared.docs_url
    if url is not None and not url.startswith(("https://", "http://")):
        yield "docs_url", f"{url!r} is no address: it must start with `https://`"
