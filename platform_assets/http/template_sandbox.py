"""Jinja2's sandbox, in which everything that makes a value out of others pays for it.

tree -> _guard -> compiled template: operators and calls go through `_Sandbox`, all else through filters of ours
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any

from jinja2 import ChainableUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from platform_assets.declarations.template_names import parsed
from platform_assets.declarations.template_problems import FILTERS, METHODS, TESTS
from platform_assets.http.template_budget import TURN, TooMuch, spend, weigh, weighed
from platform_assets.http.template_functions import (
    FUNCTIONS,
    MAX_FORMAT,
    OWN_FILTERS,
    check_joined,
    check_replaced,
    formatted,
    text_of,
)

_MAX_BITS = 4096
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})
_TIME_PARTS = frozenset(["year", "month", "day", "hour", "minute", "second", "microsecond", "days", "seconds"])
_DATA = (str, int, float, dict, list, tuple)
_TIMES = (datetime, date, timedelta)
_WIDE_FORMAT = re.compile(r"\*|[0-9]{3}")
_COMPARING = frozenset(["in", "eq", "equalto", "ne", "lt", "le", "gt", "ge"])
_FUNCTION_IDS = frozenset(map(id, FUNCTIONS.values()))


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with lists of what may be called, and a price for what is made."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        weigh(left, right)
        if operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left):
            raise TooMuch
        return weighed(super().call_binop(context, operator, left, right))

    def call(self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        # What Jinja2 passes to functions that know its context.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if isinstance(__obj, Undefined):
            return __obj()
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if id(__obj) not in _FUNCTION_IDS:
            if not (isinstance(owner, (*_DATA, *_TIMES, Mapping)) and name in METHODS):
                raise SecurityError(f"`{name or type(__obj).__name__}` cannot be called")
            weigh(owner)
        weigh(*args, *kwargs.values())
        if isinstance(owner, str):
            _check_text_method(owner, name, args)
        if name == "strftime" and len(str(args[:1])) > MAX_FORMAT:
            raise TooMuch
        found = formatted(owner, *args) if name == "strftime" and isinstance(owner, date) else __obj(*args, **kwargs)
        # Views of an object are as long as it is, which was paid for.
        return list(found) if name in ("items", "keys", "values") else weighed(found)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A method, if it is called (`_guard` makes a field of every other one); else a field.

        So a field called `items` or `title` is read by its name, and hides no method.
        """
        if attribute not in METHODS:
            return self.getitem(obj, attribute)
        if obj is None or isinstance(obj, Undefined):
            return self.undefined(obj=obj, name=attribute)
        # A list has no `get`: what an answer of another shape lacks is missing, as a field would be.
        missing = self.undefined(obj=obj, name=attribute)
        return getattr(obj, attribute, missing) if isinstance(obj, (*_DATA, *_TIMES, Mapping)) else missing

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, (str, list, tuple, Mapping)):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        is_part = isinstance(obj, _TIMES) and argument in _TIME_PARTS
        if is_part or (isinstance(obj, LoopContext) and argument in _LOOP):
            return getattr(obj, argument, self.undefined(obj=obj, name=argument))
        return self.undefined(obj=obj, name=argument)


def _check_product(left: Any, right: Any) -> None:
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int):
            spend(len(text) * max(0, times))
            return
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MAX_BITS:
        raise TooMuch


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > _MAX_BITS:
        raise TooMuch


def _check_text_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    if name == "replace" and len(args) >= 2:
        check_replaced(text, str(args[0]), str(args[1]))
    if name == "join" and args:
        check_joined(text, args[0])


@pass_context
def _final(context: Any, value: Any) -> Any:
    """What is put into a text, paid for before it is written out."""
    weigh(value)
    return value


@pass_context
def _concatenated(context: Any, values: Any) -> str:
    return "".join(map(text_of, values))


@pass_context
def _list(context: Any, values: Any) -> Any:
    """A list, tuple or object as it is written in a template, or what is compared: paid for with everything in it."""
    weigh(values)
    return values


@pass_context
def _turns(context: Any, values: Any, parts: int) -> Any:
    """The items of a loop; each turn is paid for."""
    if isinstance(values, Undefined) or values is None:
        return []
    items = list(values) if isinstance(values, Mapping | list | tuple | range | str) else []
    spend(len(items) * parts * TURN)
    return items


def _paid(filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja2 that pays for what it is given and for what it gives."""

    @wraps(filter)
    def called(*args: Any, **kwargs: Any) -> Any:
        passed = args[1:] if hasattr(filter, "jinja_pass_arg") else args
        weigh(*passed, *kwargs.values())
        return weighed(filter(*args, **kwargs))

    return called


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=ChainableUndefined, optimized=False, cache_size=0, autoescape=False, finalize=_final)
    sandbox.globals = dict(FUNCTIONS)
    filters = {name: _paid(OWN_FILTERS.get(name) or sandbox.filters[name]) for name in FILTERS}
    sandbox.filters = {**filters, "concatenated ": _concatenated, "listed ": _list, "turns ": _turns}
    sandbox.tests = {name: _paid(sandbox.tests[name]) if name in _COMPARING else sandbox.tests[name] for name in TESTS}
    return sandbox


_SANDBOX = _sandbox()


@lru_cache(maxsize=512)
def compiled(text: str) -> tuple[Any, bool]:
    """The compiled template, and whether it is one expression, whose value is in `result`."""
    tree = parsed(text.strip())
    expression = _only_expression(tree)
    parts = sum(1 for _ in _nodes(tree))
    _guard(tree, parts)
    if expression is not None:
        holder = tree.body[0]
        assert isinstance(holder, nodes.Output)
        result = nodes.Assign(nodes.Name("result", "store", lineno=1), holder.nodes[0], lineno=1)
        tree = nodes.Template([result], lineno=1)
    tree.set_environment(_SANDBOX)
    return _SANDBOX.from_string(tree), expression is not None


def _only_expression(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    found = tree.body[0].nodes
    return found[0] if len(found) == 1 and not isinstance(found[0], nodes.TemplateData) else None


def _nodes(tree: nodes.Node) -> Iterator[nodes.Node]:
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.iter_child_nodes())


def _guard(tree: nodes.Template, parts: int) -> None:
    """Let what Jinja2 does without asking the sandbox go through filters of ours: `~`, literals, loops.

    What is called like a method and is not called becomes a field.
    """
    called = {id(node.node) for node in _nodes(tree) if isinstance(node, nodes.Call)}
    # The innermost first: what takes a node's place takes its parts as they are then.
    for node in reversed(list(_nodes(tree))):
        for name, child in list(node.iter_fields()):
            if isinstance(child, list):
                setattr(node, name, [_guarded(one, called) for one in child])
            elif isinstance(child, nodes.Node):
                setattr(node, name, _guarded(child, called))
        if isinstance(node, nodes.Operand):
            # `a in b` and `a == b` take as long as b is.
            node.expr = nodes.Filter(node.expr, "listed ", [], [], None, None, lineno=node.lineno)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            node.node = nodes.Filter(node.node, "listed ", [], [], None, None, lineno=node.lineno)
        if isinstance(node, nodes.For):
            count = nodes.Const(parts, lineno=node.lineno)
            node.iter = nodes.Filter(node.iter, "turns ", [count], [], None, None, lineno=node.lineno)


def _guarded(node: Any, called: set[int]) -> Any:
    if isinstance(node, nodes.Getattr) and node.attr in METHODS and id(node) not in called:
        return nodes.Getitem(node.node, nodes.Const(node.attr, lineno=node.lineno), node.ctx, lineno=node.lineno)
    if isinstance(node, nodes.Concat):
        listed = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(listed, "concatenated ", [], [], None, None, lineno=node.lineno)
    is_literal = isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load")
    if is_literal:
        return nodes.Filter(node, "listed ", [], [], None, None, lineno=node.lineno)
    return node
