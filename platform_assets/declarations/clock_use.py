"""Whether what a template comes to differs between two renderings of the same record. Imports Jinja2."""

from functools import cache
from typing import TYPE_CHECKING

from platform_assets.declarations.template_names import parsed
from platform_assets.declarations.template_problems import CLOCKS

if TYPE_CHECKING:
    from jinja2 import nodes

_DEFAULTS = ("default", "d")


@cache
def is_of_the_clock(text: str) -> bool:
    """Whether a template, which has no problem, takes the time of its rendering, and not only where a field is missing.

    `record.get('updated', now_utc())`, `record.updated or now_utc()` and `record.updated | default(now_utc())` are the
    record's.
    """
    from jinja2 import nodes

    pending: list[nodes.Node] = [parsed(text)]
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in CLOCKS:
            return True
        fallbacks = _fallbacks(node)
        pending += [one for one in node.iter_child_nodes() if not any(one is other for other in fallbacks)]
    return False


def has_clock(text: str) -> bool:
    """Whether a template names a clock at all."""
    return any(name in text for name in CLOCKS)


def _fallbacks(node: "nodes.Node") -> list["nodes.Node"]:
    """The parts of an expression that count only where another part is missing."""
    from jinja2 import nodes

    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr == "get":
        return list(node.args[1:])
    if isinstance(node, nodes.Filter) and node.name in _DEFAULTS:
        return list(node.args)
    return [node.right] if isinstance(node, nodes.Or) else []
