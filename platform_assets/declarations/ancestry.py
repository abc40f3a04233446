"""Whose rows make a child's parents: those of one resource, the last of a line of descent, or of several at once.

orgs -> projects -> issues   /orgs/{org}/projects/{project}/issues: the parents of issues are the rows of projects,
                             which have their organization in the column `_orgs_slug`
shops x kinds -> prices      /shops/{shop}/{kind}/prices: every combination of a shop and a kind
"""

from platform_assets.declarations.platform import Platform
from platform_assets.declarations.resource import Resolve, Resource


def parents_of(platform: Platform, resource: Resource) -> tuple[str, ...]:
    """The resources whose rows make the parents: of those on one line of descent the last. Empty for a plain list."""
    named = tuple(dict.fromkeys(resolve.resource for resolve in resource.endpoint.parents.values()))
    return tuple(
        name for name in named if not any(name in ancestors(platform, other) for other in named if other != name)
    )


def ancestors(platform: Platform, name: str) -> frozenset[str]:
    """The resources that a resource's rows are read for, and those that these are read for, and so on."""
    declared = {resource.name: resource for resource in platform.resources}
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = declared.get(waiting.pop())
        for resolve in resource.endpoint.parents.values() if resource else ():
            if resolve.resource not in found:
                found.add(resolve.resource)
                waiting.append(resolve.resource)
    return frozenset(found)


def depth(platform: Platform, resource: Resource) -> int:
    """How many generations are above a resource's rows: 0 for a plain list. There is no loop, see validation."""
    return max((1 + depth(platform, platform.resource(name)) for name in parents_of(platform, resource)), default=0)


def field_in(platform: Platform, parent: str, resolve: Resolve) -> str | None:
    """Where the rows of `parent` have a value: a field of their own, or the column with a value of their own parent.

    None if they do not have it.
    """
    if resolve.resource == parent:
        return resolve.field
    for own in _resolves(platform, parent):
        if own == resolve or (own.resource != parent and field_in(platform, own.resource, resolve) == own.field):
            return own.column
    return None


def has_field(platform: Platform, resource: str, field: str) -> bool:
    """Whether a field, the JSON column that a dotted path begins with, or a parent's column is declared."""
    if field.split(".")[0] in platform.resource(resource).columns:
        return True
    return any(own.column == field for own in _resolves(platform, resource))


def type_of(platform: Platform, resolve: Resolve) -> str:
    """The data type of a value; that of a parent's column is the one of the parent's field."""
    parent = platform.resource(resolve.resource)
    if resolve.field not in parent.columns:
        for own in _resolves(platform, resolve.resource):
            if own.column == resolve.field:
                return type_of(platform, own)
    return parent.columns.get(resolve.field, "text")


def _resolves(platform: Platform, name: str) -> list[Resolve]:
    """Under whatever contract: a table has the same columns under all of them."""
    endpoints = platform.every_endpoint(platform.resource(name))
    return [resolve for endpoint in endpoints for resolve in endpoint.parents.values()]
