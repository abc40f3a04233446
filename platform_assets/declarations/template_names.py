"""What a template asks for by name, as `config.region` or `parent['id']`, read from its syntax. Imports Jinja2."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes

# Tests and filters that say what holds without a value.
_ASKING_TESTS = ("defined", "undefined")
_ASKING_FILTERS = ("default", "d")


@dataclass(frozen=True)
class Mention:
    """A variable's field that a template names.

    Attributes:
        variable: e.g. `config`.
        field: e.g. `region`.
        asked: whether the template says what holds without it: `config.get('region')`, `'region' in config`,
            `config.region is defined`, `config.region | default('eu')`, and where it stands as a condition.
    """

    variable: str
    field: str
    asked: bool


@lru_cache(maxsize=1024)
def mentions_in(text: str) -> tuple[Mention, ...]:
    """The fields that a template names, in its order; none if it cannot be parsed, which `problem_of` says."""
    from jinja2 import TemplateError

    try:
        return tuple(mention for _, mention in mentions(parsed(text)))
    except (TemplateError, RecursionError, MemoryError, ValueError, OverflowError):
        return ()


def parsed(text: str) -> "nodes.Template":
    """The syntax tree. Raises jinja2.TemplateError, and RecursionError for deep nesting."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment().parse(text)


def mentions(tree: "nodes.Template") -> "Iterator[tuple[nodes.Name, Mention]]":
    """Each named field, with the node of its variable. Walks without recursion: the tree may be deep."""
    from jinja2 import nodes

    pending: list[tuple[nodes.Node, nodes.Node | None, str]] = [(tree, None, "")]
    while pending:
        node, parent, place = pending.pop()
        if isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(node.node, nodes.Name):
            is_called = isinstance(parent, nodes.Call) and place == "node"
            field = _got(parent) if is_called else _field_of(node)
            if field is not None and not (is_called and _field_of(node) != "get"):
                yield node.node, Mention(node.node.name, field, is_called or _is_asked(parent, place))
        if isinstance(node, nodes.Compare) and isinstance(node.expr, nodes.Const) and len(node.ops) == 1:
            variable = node.ops[0].expr
            is_member_test = node.ops[0].op in ("in", "notin") and isinstance(node.expr.value, str)
            if is_member_test and isinstance(variable, nodes.Name):
                yield variable, Mention(variable.name, node.expr.value, asked=True)
        inner = [
            (one, name) for name, child in node.iter_fields() for one in (child if isinstance(child, list) else [child])
        ]
        pending += [(one, node, name) for one, name in reversed(inner) if isinstance(one, nodes.Node)]


def _field_of(node: "nodes.Getattr | nodes.Getitem") -> str | None:
    from jinja2 import nodes

    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _got(call: "nodes.Node | None") -> str | None:
    """The field that a call of `get` asks for by its written-out name."""
    from jinja2 import nodes

    if not isinstance(call, nodes.Call) or call.kwargs or not 1 <= len(call.args) <= 2:
        return None
    first = call.args[0]
    return first.value if isinstance(first, nodes.Const) and isinstance(first.value, str) else None


def _is_asked(parent: "nodes.Node | None", place: str) -> bool:
    from jinja2 import nodes

    if isinstance(parent, nodes.Test):
        return place == "node" and parent.name in _ASKING_TESTS
    if isinstance(parent, nodes.Filter):
        return place == "node" and parent.name in _ASKING_FILTERS
    return isinstance(parent, nodes.And | nodes.Or | nodes.Not) or (
        isinstance(parent, nodes.If | nodes.CondExpr) and place == "test"
    )
