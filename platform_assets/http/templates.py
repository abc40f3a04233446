"""Renders templates in Jinja2's sandbox, in bounded time and memory, whatever the template and the data are.

    Template -> problem_of (declarations/template_problems.py) -> guarded tree -> compiled, once per process -> value

The sandbox keeps a template from Python's internals, but not from `'a' * 10**9`. So everything that makes a value out
of others (operators, `~`, filters, methods, lists, loops) first pays for it out of one budget per rendering.

A rendering costs 10 to 25 microseconds (`{{ record.total * 100 }}`, a condition of two comparisons), and a
compilation about 2 milliseconds.
"""

import base64
import binascii
import hashlib
import json
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, wraps
from typing import Any

from jinja2 import ChainableUndefined, TemplateError, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from platform_assets.declarations import Template
from platform_assets.declarations.template_problems import FILTERS, METHODS, TESTS, parsed, problem_of
from platform_assets.declarations.time_format import format_moment, format_problem, parse_moment
from platform_assets.http.errors import AnswerError

# Characters, items and steps that one rendering may go through: about 50 milliseconds, and a few dozen megabytes.
BUDGET = 8_000_000
# What an item of a list costs, since it takes as long as so many characters.
_ITEM = 16
# What one turn of a loop costs for each part of its template.
_TURN = 40
# Of integers, so that no power grows without an end.
_MAX_BITS = 4096
_MAX_FORMAT = 100
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})
_TIME_PARTS = frozenset(["year", "month", "day", "hour", "minute", "second", "microsecond", "days", "seconds"])
_DATA = (str, int, float, dict, list, tuple)
_TIMES = (datetime, date, timedelta)
_WIDE_FORMAT = re.compile(r"\*|[0-9]{3}")
_COMPARING = frozenset(["in", "eq", "equalto", "ne", "lt", "le", "gt", "ge"])
# What a text must not be for a condition to hold, as in declarative connectors.
_FALSE_TEXTS = frozenset({"", "false", "0", "0.0", "{}", "[]", "()", "none"})

Values = Mapping[str, object]


class TooMuch(Exception):
    """A rendering has spent its budget."""


class Rendered:
    """A compiled template. Safe to use from several threads.

    Args:
        template: what is rendered.
        names: variables and functions that it may use.
        where: names the template in errors, e.g. "`added` field `total`".

    Raises AnswerError for a template that cannot be compiled.
    """

    def __init__(self, template: Template, names: frozenset[str], where: str) -> None:
        self._where = where
        self._template = template
        try:
            problem = problem_of(template, names)
            self._compiled, self._is_value = (None, False) if problem else _compiled(template.text)
        except (TemplateError, RecursionError, MemoryError, SyntaxError, ValueError, TooMuch) as error:
            problem = f"not a template that can be compiled: {type(error).__name__}"
        if problem is not None:
            raise AnswerError(f"{where}: {problem}")

    def value(self, values: Values) -> Any:
        """What the template comes to: JSON's types only, of its own and never part of `values`.

        None if it was computed from something missing. Raises AnswerError, naming the template, for everything else
        that goes wrong, e.g. if it would take too much time or memory.
        """
        _spent.left = BUDGET
        try:
            return _as_json_value(self._rendered(values))
        except UndefinedError:
            return None
        except TooMuch:
            problem = "takes too much time or memory"
        except (ArithmeticError, LookupError, TypeError, ValueError, TemplateError, RecursionError) as error:
            if isinstance(error, TypeError) and "NoneType" in str(error):
                return None
            problem = str(error)[:200]
        raise AnswerError(f"{self._where}: the template `{self._shown}`: {problem}")

    def holds(self, values: Values) -> bool:
        """Whether what it comes to counts as true: not `False`, 0, empty, None, or a text that says one of these."""
        found = self.value(values)
        if isinstance(found, str):
            return found.strip().lower() not in _FALSE_TEXTS
        return bool(found)

    @property
    def _shown(self) -> str:
        text = " ".join(self._template.text.split())
        return text if len(text) <= 80 else f"{text[:80]}…"

    def _rendered(self, values: Values) -> Any:
        assert self._compiled is not None
        context = self._compiled.new_context(dict(values))
        chunks: list[str] = []
        for chunk in self._compiled.root_render_func(context):
            _spend(1 + len(chunk))
            chunks.append(chunk)
        return context.vars["result"] if self._is_value else "".join(chunks)


_spent = threading.local()


def _spend(amount: int) -> None:
    left: int = getattr(_spent, "left", 0) - amount
    _spent.left = left
    if left < 0:
        raise TooMuch


def _weigh(*values: Any) -> None:
    """Spend as much as the values have characters, items and bytes of numbers; raises TooMuch before it counts all."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            _spend(1 + len(value))
        elif isinstance(value, Mapping):
            _spend(1 + 2 * _ITEM * len(value))
            pending += value.keys()
            pending += value.values()
        elif isinstance(value, list | tuple):
            _spend(1 + _ITEM * len(value))
            pending += value
        elif isinstance(value, int):
            _spend(1 + value.bit_length() // 8)
        elif isinstance(value, range):
            _spend(1 + len(value))
        else:
            _spend(1)


def _weighed(value: Any) -> Any:
    """The value, paid for; of a generator, its items."""
    if isinstance(value, Iterator):
        items = []
        for item in value:
            _spend(_TURN)
            items.append(item)
        value = items
    _weigh(value)
    return value


def _as_json_value(value: Any) -> Any:
    """A copy of a value in JSON's types. Raises ValueError for what has none."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Undefined):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the result is no number")
        return value
    if isinstance(value, Mapping):
        return {str(key): _as_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [_as_json_value(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise ValueError(f"the result is a {type(value).__name__}, not a value")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with lists of what may be called, and a price for what is made."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _weigh(left, right)
        if operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left):
            raise TooMuch
        return _weighed(super().call_binop(context, operator, left, right))

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
            _weigh(owner)
        _weigh(*args, *kwargs.values())
        if isinstance(owner, str):
            _check_text_method(owner, name, args)
        if name == "strftime" and len(str(args[:1])) > _MAX_FORMAT:
            raise TooMuch
        found = __obj(*args, **kwargs)
        # Views of an object are as long as it is, which was paid for.
        return list(found) if name in ("items", "keys", "values") else _weighed(found)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A method, if it is called (`_guard` makes a field of every other one); else a field.

        So a field called `items` or `title` is read by its name, and hides no method.
        """
        if attribute not in METHODS:
            return self.getitem(obj, attribute)
        if obj is None or isinstance(obj, Undefined):
            return self.undefined(obj=obj, name=attribute)
        found = getattr(obj, attribute, None) if isinstance(obj, (*_DATA, *_TIMES, Mapping)) else None
        if found is None:
            raise TypeError(f"there is no method `{attribute}` of a {type(obj).__name__}")
        return found

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
            _spend(len(text) * max(0, times))
            return
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MAX_BITS:
        raise TooMuch


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > _MAX_BITS:
        raise TooMuch


def _check_text_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    if name == "replace" and len(args) >= 2:
        _check_replaced(text, str(args[0]), str(args[1]))
    if name == "join" and args:
        _check_joined(text, args[0])


def _check_replaced(text: str, old: str, new: str) -> None:
    _spend((text.count(old) if old else len(text) + 1) * len(new))


def _check_joined(separator: str, items: Any) -> None:
    if not isinstance(items, list | tuple | dict):
        raise TypeError("only a list can be joined")
    _spend(len(separator) * len(items))


@pass_context
def _final(context: Any, value: Any) -> Any:
    """What is put into a text, paid for before it is written out."""
    _weigh(value)
    return value


def _text(value: Any) -> str:
    _weigh(value)
    return "" if isinstance(value, Undefined) else str(value)


@pass_context
def _concatenated(context: Any, values: Any) -> str:
    return "".join(map(_text, values))


@pass_context
def _list(context: Any, values: Any) -> Any:
    """A list, tuple or object as it is written in a template, or what is compared: paid for with everything in it."""
    _weigh(values)
    return values


@pass_context
def _turns(context: Any, values: Any, parts: int) -> Any:
    """The items of a loop; each turn is paid for."""
    if isinstance(values, Undefined) or values is None:
        return []
    items = list(values) if isinstance(values, Mapping | list | tuple | range | str) else []
    _spend(len(items) * parts * _TURN)
    return items


def _joined(values: Any, separator: str = "", attribute: str | None = None) -> str:
    items = [_attribute(item, attribute) for item in _items(values)]
    texts = [_text(item) for item in items]
    _spend(len(separator) * len(texts))
    return separator.join(texts)


def _attribute(item: Any, attribute: str | None) -> Any:
    return item.get(attribute) if attribute is not None and isinstance(item, Mapping) else item


def _items(values: Any) -> list[Any]:
    if values is None or isinstance(values, Undefined):
        return []
    return list(values)


def _replaced(text: Any, old: str, new: str, count: int | None = None) -> str:
    text = _text(text)
    _check_replaced(text, str(old), str(new))
    return text.replace(str(old), str(new), -1 if count is None else count)


def _sum(values: Any, attribute: str | None = None) -> Any:
    return sum(_attribute(item, attribute) for item in _items(values))


def _tojson(value: Any) -> str:
    return json.dumps(_as_json_value(value), ensure_ascii=False)


def _base64(text: Any) -> str:
    return base64.b64encode(_text(text).encode("utf-8", "surrogatepass")).decode()


def _from_base64(text: Any) -> str:
    try:
        return base64.b64decode(_text(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not base64 of a text: {error}") from None


def _hash(text: Any, kind: str = "md5", salt: str | None = None) -> str:
    if kind not in ("md5", "sha1", "sha256", "sha512"):
        raise ValueError("`hash` has md5, sha1, sha256 and sha512")
    content = _text(text) + _text(salt or "")
    return hashlib.new(kind, content.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _range(*bounds: int) -> range:
    found = range(*bounds)
    _spend(len(found) * _TURN)
    return found


def _moment(value: Any, format: str | None = None) -> datetime:
    """The moment of a number of seconds since 1970, an ISO 8601 text or a time."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if format is not None:
        return parse_moment(str(value), str(format)[:_MAX_FORMAT])
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if value is None or isinstance(value, Undefined):
        raise UndefinedError
    found = datetime.fromisoformat(str(value).strip())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _timestamp(value: Any) -> int:
    """Whole seconds since 1970."""
    return int(value) if isinstance(value, int | float) else math.floor(_moment(value).timestamp())


def _format_datetime(value: Any, format: str, input_format: str | None = None) -> str:
    format = str(format)[:_MAX_FORMAT]
    problem = format_problem(format)
    if problem is not None:
        raise ValueError(problem)
    return format_moment(_moment(value, input_format), format)


def _now_utc() -> datetime:
    return datetime.now(UTC)


def _today_utc() -> date:
    return datetime.now(UTC).date()


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "timestamp": _timestamp,
    "str_to_datetime": _moment,
    "format_datetime": _format_datetime,
    "max": max,
    "min": min,
    "range": _range,
    "now_utc": _now_utc,
    "today_utc": _today_utc,
}
_FUNCTION_IDS = frozenset(map(id, _FUNCTIONS.values()))
_OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "base64decode": _from_base64,
    "base64encode": _base64,
    "hash": _hash,
    "join": _joined,
    "replace": _replaced,
    "string": _text,
    "sum": _sum,
    "tojson": _tojson,
}


def _paid(filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja2 that pays for what it is given and for what it gives."""

    @wraps(filter)
    def called(*args: Any, **kwargs: Any) -> Any:
        passed = args[1:] if hasattr(filter, "jinja_pass_arg") else args
        _weigh(*passed, *kwargs.values())
        return _weighed(filter(*args, **kwargs))

    return called


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=ChainableUndefined, optimized=False, cache_size=0, autoescape=False, finalize=_final)
    sandbox.globals = dict(_FUNCTIONS)
    filters = {name: _paid(_OWN_FILTERS.get(name) or sandbox.filters[name]) for name in FILTERS}
    sandbox.filters = {**filters, "concatenated ": _concatenated, "listed ": _list, "turns ": _turns}
    sandbox.tests = {name: _paid(sandbox.tests[name]) if name in _COMPARING else sandbox.tests[name] for name in TESTS}
    return sandbox


_SANDBOX = _sandbox()


@lru_cache(maxsize=512)
def _compiled(text: str) -> tuple[Any, bool]:
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


def settings_values(configured: Mapping[str, Iterable[str]]) -> dict[str, object]:
    """`config` of a template: setting -> its value, a list if it has several."""
    found: dict[str, object] = {}
    for name, values in configured.items():
        every = list(values)
        found[name] = every[0] if len(every) == 1 else every
    return found
