"""Reads a configuration out of Python source without running it: literals, names, settings, and nothing else."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from platform_assets.importing.values import MAX_DEPTH, Called, Joined, Setting, TooLarge, Unreadable

# Tokens of a source that is parsed; a parsed one takes a hundred times its memory.
MAX_TOKENS = 400_000
# Values that are made of one source; names that stand for large values count each time.
MAX_VALUES = 100_000

_TOKEN = re.compile(r"\w+|[^\w\s]")
_SOURCE_CALLS = ("rest_api_source", "rest_api_resources")
_SHOWN = 60


@dataclass(frozen=True)
class PythonConfiguration:
    """A configuration that a Python source holds.

    Attributes:
        value: as written; may hold `Setting`, `Joined`, `Unreadable` and `Called`.
        line: where it stands in the source, from 1.
        name: the name that the source was given, if any.
    """

    value: dict[str, Any]
    line: int
    name: str | None = None


def read_python(source: str) -> list[PythonConfiguration]:
    """Every configuration in a source, in its order, each once.

    Raises SyntaxError for what is not Python, TooLarge for what is beyond the bounds.
    """
    for count, _ in enumerate(_TOKEN.finditer(source)):
        if count > MAX_TOKENS:
            raise TooLarge(f"it has more than {MAX_TOKENS:,} words and signs")
    try:
        tree = ast.parse(source)
        _check_depth(tree)
    except (RecursionError, MemoryError, ValueError) as error:
        raise TooLarge(str(error) or "it is nested too deep") from None
    except SyntaxError as error:
        if "too many nested" in str(error.msg):
            raise TooLarge("it is nested too deep") from None
        raise
    evaluator = _Evaluator()
    found: dict[int, PythonConfiguration] = {}
    for node, name, scope in _candidates(tree, evaluator):
        target, inner = evaluator.followed(node, scope)
        value = evaluator.value(target, inner)
        if (isinstance(value, dict) and "resources" in value and target.lineno not in found) or (
            isinstance(value, dict) and name and target.lineno in found and found[target.lineno].name is None
        ):
            found[target.lineno] = PythonConfiguration(value, target.lineno, name)
    return list(found.values())


def _check_depth(tree: ast.AST) -> None:
    # A node of the tree is up to three levels of the value; long sums and chains are nested too.
    left = [(tree, 0)]
    while left:
        node, depth = left.pop()
        if depth > 6 * MAX_DEPTH:
            raise ValueError("it is nested too deep")
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


@dataclass
class _Scope:
    """Names of a module or function. A name that is assigned twice has no value without running the source."""

    names: dict[str, ast.expr | Setting | None]
    outer: "_Scope | None" = None

    def find(self, name: str) -> tuple[ast.expr | Setting | None, "_Scope"] | None:
        if name in self.names:
            return self.names[name], self
        return self.outer.find(name) if self.outer else None


def _candidates(tree: ast.Module, evaluator: "_Evaluator") -> Iterator[tuple[ast.expr, str | None, _Scope]]:
    """Expressions that are configurations, with the name that their source is given."""
    left: list[tuple[ast.AST, _Scope]] = [(tree, _scope_of(tree, None))]
    while left:
        node, scope = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = _scope_of(node, scope)
        if isinstance(node, ast.Call) and _last_name(node.func) in _SOURCE_CALLS:
            keywords = {word.arg: word.value for word in node.keywords if word.arg}
            config = keywords.get("config") or next(iter(node.args), None)
            name = evaluator.value(keywords["name"], scope) if "name" in keywords else None
            if config is not None:
                yield config, name if isinstance(name, str) else None, scope
        elif isinstance(node, ast.Dict) and {"client", "resources"} <= {
            key.value for key in node.keys if isinstance(key, ast.Constant)
        }:
            yield node, None, scope
        # The last first, since they are taken from the end.
        left += [(child, scope) for child in reversed(list(ast.iter_child_nodes(node)))]


def _scope_of(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef, outer: _Scope | None) -> _Scope:
    """The names that are assigned in a module or function, not in functions inside it."""
    scope = _Scope({}, outer)
    if not isinstance(node, ast.Module):
        arguments = [*node.args.posonlyargs, *node.args.args]
        defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
        for argument, default in [
            *zip(arguments, defaults, strict=True),
            *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
        ]:
            scope.names[argument.arg] = _parameter(argument.arg, default)
    left: list[ast.AST] = list(node.body)
    while left:
        inner = left.pop()
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                _assign(scope, target, inner.value)
        elif isinstance(inner, ast.AnnAssign) and inner.value is not None:
            _assign(scope, inner.target, inner.value)
        elif isinstance(inner, (ast.AugAssign, ast.For | ast.AsyncFor | ast.NamedExpr)):
            _assign(scope, inner.target, None)
        elif (
            isinstance(inner, ast.Subscript) and isinstance(inner.ctx, ast.Store) and isinstance(inner.value, ast.Name)
        ):
            # `config["client"]["x"] = ...` changes what the name stands for.
            scope.names[inner.value.id] = None
        left += ast.iter_child_nodes(inner)
    return scope


def _assign(scope: _Scope, target: ast.expr, value: ast.expr | None) -> None:
    if isinstance(target, ast.Name):
        scope.names[target.id] = None if target.id in scope.names else value
    elif isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            _assign(scope, part, None)


def _parameter(name: str, default: ast.expr | None) -> ast.expr | Setting | None:
    """`def source(token=dlt.secrets.value)` takes the secret `token`; another parameter has its default."""
    if isinstance(default, ast.Attribute) and default.attr == "value":
        kind = _last_name(default.value)
        if kind in ("secrets", "config"):
            return Setting(name, secret=kind == "secrets")
    return default


class _Evaluator:
    """Values of expressions; each name is followed to where it is assigned."""

    def __init__(self) -> None:
        self._made = 0
        self._following: list[ast.expr] = []

    def followed(self, node: ast.expr, scope: _Scope) -> tuple[ast.expr, _Scope]:
        """The expression that a name stands for, through any number of names."""
        for _ in range(MAX_DEPTH):
            found = scope.find(node.id) if isinstance(node, ast.Name) else None
            if found is None or not isinstance(found[0], ast.expr):
                break
            node, scope = found[0], found[1]
        return node, scope

    def value(self, node: ast.expr, scope: _Scope) -> Any:
        """The value of an expression; Unreadable if only running it would tell. Raises TooLarge."""
        self._made += 1
        if self._made > MAX_VALUES:
            raise TooLarge(f"it has more than {MAX_VALUES:,} values")
        if len(self._following) > MAX_DEPTH or node in self._following:
            return _unreadable(node)
        self._following.append(node)
        try:
            return self._value(node, scope)
        finally:
            self._following.pop()

    def _value(self, node: ast.expr, scope: _Scope) -> Any:
        setting = _setting(node)
        if setting is not None:
            return setting
        if isinstance(node, ast.Constant):
            plain = node.value is None or isinstance(node.value, str | int | float | bool)
            return node.value if plain else _unreadable(node)
        if isinstance(node, ast.Name):
            found = scope.find(node.id)
            if found is None or found[0] is None:
                return _unreadable(node)
            return found[0] if isinstance(found[0], Setting) else self.value(found[0], found[1])
        if isinstance(node, ast.Dict):
            return self._dict(node, scope)
        if isinstance(node, ast.List | ast.Tuple):
            return self._list(node, scope)
        if isinstance(node, ast.JoinedStr):
            return self._text(node, scope)
        if isinstance(node, ast.BinOp):
            return self._combined(node, scope)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            return -number if isinstance(number, int | float) else _unreadable(node)
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Subscript):
            return self._item(node, scope)
        return _unreadable(node)

    def _dict(self, node: ast.Dict, scope: _Scope) -> Any:
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self.value(value, scope)
                if not isinstance(inner, dict):
                    found[f"**{_source(value)}"] = _unreadable(value)
                    continue
                found.update(inner)
                continue
            name = self.value(key, scope)
            if isinstance(name, str | int):
                found[str(name)] = self.value(value, scope)
            else:
                found[_source(key)] = _unreadable(key)
        return found

    def _list(self, node: ast.List | ast.Tuple, scope: _Scope) -> Any:
        found: list[Any] = []
        for item in node.elts:
            if not isinstance(item, ast.Starred):
                found.append(self.value(item, scope))
                continue
            inner = self.value(item.value, scope)
            found += inner if isinstance(inner, list) else [_unreadable(item)]
        return found

    def _text(self, node: ast.JoinedStr, scope: _Scope) -> Any:
        parts: list[Any] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if part.format_spec is not None or part.conversion != -1:
                    return _unreadable(node)
                parts.append(self.value(part.value, scope))
            else:
                parts.append(self.value(part, scope))
        return _joined(parts, node)

    def _combined(self, node: ast.BinOp, scope: _Scope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if isinstance(node.op, ast.Add):
            if isinstance(left, list) and isinstance(right, list):
                self._made += len(left) + len(right)
                return [*left, *right]
            if isinstance(left, str | Joined | Setting) and isinstance(right, str | Joined | Setting):
                return _joined([left, right], node)
        if isinstance(node.op, ast.BitOr) and isinstance(left, dict) and isinstance(right, dict):
            self._made += len(left) + len(right)
            return {**left, **right}
        return _unreadable(node)

    def _call(self, node: ast.Call, scope: _Scope) -> Any:
        name = _last_name(node.func)
        kwargs = {word.arg: self.value(word.value, scope) for word in node.keywords if word.arg}
        if any(word.arg is None for word in node.keywords):
            return _unreadable(node)
        if name == "dict" and not node.args:
            return kwargs
        # Classes are named so; a function does what only running it tells.
        if name[:1].isupper() or name == "incremental":
            return Called(name, tuple(self.value(item, scope) for item in node.args), kwargs, node.lineno)
        return _unreadable(node)

    def _item(self, node: ast.Subscript, scope: _Scope) -> Any:
        holder, key = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(holder, dict) and isinstance(key, str) and key in holder:
            return holder[key]
        if isinstance(holder, list) and type(key) is int and -len(holder) <= key < len(holder):
            return holder[key]
        return _unreadable(node)


def _joined(parts: list[Any], node: ast.expr) -> Any:
    flat: list[str | Setting] = []
    for part in parts:
        if isinstance(part, Joined):
            flat += part.parts
        elif isinstance(part, Setting):
            flat.append(part)
        elif isinstance(part, str | int | float) and not isinstance(part, bool):
            flat.append(str(part))
        else:
            return _unreadable(node)
    if sum(len(part) for part in flat if isinstance(part, str)) > 1_000_000:
        raise TooLarge("it has a text of more than 1,000,000 characters")
    if all(isinstance(part, str) for part in flat):
        return "".join(map(str, flat))
    flat = [part for part in flat if part != ""]
    return flat[0] if len(flat) == 1 else Joined(tuple(flat))


def _setting(node: ast.expr) -> Setting | None:
    """`dlt.secrets["a.b"]`, `dlt.config["a"]`, `dlt.secrets.value`, `os.environ["A"]`, `os.getenv("A")` and `.get`."""
    if isinstance(node, ast.Attribute) and node.attr == "value" and _last_name(node.value) in ("secrets", "config"):
        return Setting("", secret=_last_name(node.value) == "secrets")
    holder: ast.expr
    if isinstance(node, ast.Subscript):
        holder, key = node.value, node.slice
    elif isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute | ast.Name):
        key = node.args[0]
        if _last_name(node.func) == "getenv":
            return _environment(key)
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "get":
            return None
        holder = node.func.value
    else:
        return None
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return None
    if _last_name(holder) == "environ":
        return _environment(key)
    if _last_name(holder) in ("secrets", "config") and isinstance(holder, ast.Attribute):
        return Setting(key.value.split(".")[-1], secret=_last_name(holder) == "secrets")
    return None


def _environment(key: ast.expr) -> Setting | None:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        # dlt's own variables end with the setting's name: SOURCES__REST_API__TOKEN.
        return Setting(key.value.split("__")[-1].lower(), secret=True)
    return None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _unreadable(node: ast.expr) -> Unreadable:
    return Unreadable(_source(node), node.lineno)


def _source(node: ast.expr) -> str:
    try:
        text = " ".join(ast.unparse(node).split())
    except (RecursionError, ValueError):
        text = type(node).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
