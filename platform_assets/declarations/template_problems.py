"""What is wrong with a template: its syntax, its size, and names that it may not use. Imports Jinja2.

Only what is listed here can be in a template: no loop without an end, no macro, no import, no attribute that reaches
Python's internals. http/templates.py renders what passes, and bounds what a list cannot: sizes of values.
"""

from collections.abc import Iterator
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING

from platform_assets.declarations.patterns import pattern_problem
from platform_assets.declarations.template import Template
from platform_assets.declarations.template_names import mentions, parsed

if TYPE_CHECKING:
    from jinja2 import nodes

MAX_CHARACTERS = 4000
MAX_NODES = 500

CONTEXT = frozenset({"record", "parent", "stream_partition", "stream_slice", "interval", "stream_interval", "config"})
REQUEST = CONTEXT - {"record"}
SETTINGS = frozenset({"config"})
PAGE = frozenset({"response", "headers", "last_record", "last_page_size"})
RESPONSE = frozenset({"response", "headers", "status", "config"})
# What the requests of a job see beside what a request sees.
ANSWERS = frozenset({"creation_response", "polling_response", "download_target"})

_FUNCTIONS_TEXT = (
    "timestamp str_to_datetime format_datetime duration max min range sanitize_url camel_case_to_snake_case"
)
FUNCTIONS = frozenset(_FUNCTIONS_TEXT.split())
# What differs between two calls.
CLOCKS = frozenset({"now_utc", "today_utc", "today_with_timezone", "day_delta", "generate_uuid"})
# Settings that are secrets of every platform, beside its credential.
_SECRETS = ("personal_salt",)

_FILTERS_TEXT = (
    "abs base64decode base64encode capitalize count d default dictsort first float hash int items join"
    " last length list lower map max min regex_replace regex_search reject rejectattr replace reverse round select"
    " selectattr sort string sum title tojson trim unique upper urlencode"
)
FILTERS = frozenset(_FILTERS_TEXT.split())
_TESTS_TEXT = (
    "boolean defined divisibleby eq equalto even false float ge gt in integer iterable le lt mapping ne"
    " none number odd sequence string true undefined"
)
TESTS = frozenset(_TESTS_TEXT.split())
# Methods of texts, lists, objects and times that return something, and nothing much larger than what they are given.
_METHODS_TEXT = (
    "capitalize count date endswith find get index isalnum isalpha isdigit isnumeric isoformat items"
    " join keys lower lstrip removeprefix removesuffix replace rsplit rstrip split splitlines startswith"
    " strftime strip timestamp title total_seconds upper values"
)
METHODS = frozenset(_METHODS_TEXT.split())
_STATEMENTS = ("Output", "TemplateData", "If", "For", "Assign")
_EXPRESSIONS_TEXT = (
    "Name Const Getattr Getitem Slice Call Keyword Filter Test Compare Operand And Or Not CondExpr Add"
    " Sub Mul Div FloorDiv Mod Pow Neg Pos Concat List Tuple Dict Pair Template"
)
_EXPRESSIONS = frozenset(_EXPRESSIONS_TEXT.split())
_ALLOWED = frozenset((*_STATEMENTS, *_EXPRESSIONS))
_SETS_NAMES = ("store", "param")
_PATTERN_FILTERS = ("regex_search", "regex_replace")


def problem_of(template: Template, names: frozenset[str], secrets: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a template; None if nothing is.

    Args:
        names: variables and functions that it may use where it stands.
        secrets: settings that it may not name.
    """
    for key in (*template.configured, *template.optional):
        if key in (*secrets, *_SECRETS):
            return f"`config.{key}` is a credential, which no template can have"
    return _problem(template.text, names)


@cache
def _problem(text: str, names: frozenset[str]) -> str | None:
    from jinja2 import TemplateError

    if not text.strip():
        return "the template is empty"
    if len(text) > MAX_CHARACTERS:
        return f"the template has {len(text)} characters; {MAX_CHARACTERS} are the most"
    try:
        tree = parsed(text)
    except TemplateError as error:
        return f"not a Jinja2 template: {error}"
    except (RecursionError, MemoryError, ValueError, OverflowError) as error:
        return f"not a Jinja2 template: nested too deep, or a number too large ({type(error).__name__})"
    return next(_forbidden(tree), None) or _unknown(tree, names)


def _unknown(tree: "nodes.Template", names: frozenset[str]) -> str | None:
    """A name that nothing defines. Jinja2's own search would compile the template, and so compute `10**10**10`."""
    from jinja2 import nodes

    used = list(tree.find_all(nodes.Name))
    defined = {one.name for one in used if one.ctx in _SETS_NAMES} | {"loop"}
    unknown = next((one.name for one in used if one.name not in defined | names), None)
    return unknown and f"`{unknown}` is not known here; there are {', '.join(sorted(names))}"


def _forbidden(tree: "nodes.Template") -> Iterator[str]:
    """What may not be in a template, first found first. Walks without recursion: the tree may be deep."""
    from jinja2 import nodes

    pending: list[nodes.Node] = [tree]
    named = {id(variable) for variable, mention in mentions(tree) if mention.variable == "config"}
    count = 0
    while pending:
        node = pending.pop()
        count += 1
        if count > MAX_NODES:
            yield f"the template has more than {MAX_NODES} parts"
            return
        kind = type(node).__name__
        if kind not in _ALLOWED:
            yield f"`{kind.lower()}` is not for templates here"
        elif isinstance(node, nodes.Const) and isinstance(node.value, float) and not isfinite(node.value):
            yield "a number is too large"
        elif isinstance(node, nodes.For) and node.recursive:
            yield "a recursive loop is not for templates here"
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            yield f"there is no filter `{node.name}` here; there are {', '.join(sorted(FILTERS))}"
        elif isinstance(node, nodes.Filter) and node.name in _PATTERN_FILTERS:
            yield from _pattern(node)
        elif isinstance(node, nodes.Test) and node.name not in TESTS:
            yield f"there is no test `{node.name}` here"
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            yield f"`{node.attr}` begins with an underscore: write `[{node.attr!r}]` for a field of this name"
        elif isinstance(node, nodes.Call):
            yield from _call(node)
        elif isinstance(node, nodes.Name) and node.name == "config" and node.ctx in _SETS_NAMES:
            yield "`config` cannot be set"
        elif isinstance(node, nodes.Name) and node.name == "config" and id(node) not in named:
            yield (
                "`config` is used by `config.<setting>`, `config['<setting>']`, `config.get('<setting>')` or"
                " `'<setting>' in config` only"
            )
        pending.extend(node.iter_child_nodes())


def _pattern(node: "nodes.Filter") -> Iterator[str]:
    """What is wrong with the pattern of a filter; the filter looks again, where it is called by another name."""
    from jinja2 import nodes

    first = node.args[0] if node.args else None
    if not isinstance(first, nodes.Const) or not isinstance(first.value, str) or node.dyn_args or node.dyn_kwargs:
        yield f"the pattern of `{node.name}` is written out: `{node.name}('page=([0-9]+)')`"
        return
    problem = pattern_problem(first.value)
    if problem is not None:
        yield f"the pattern of `{node.name}` {problem}"


def _call(node: "nodes.Call") -> Iterator[str]:
    from jinja2 import nodes

    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield "`*` and `**` in a call are not for templates here"
    if isinstance(node.node, nodes.Name):
        if node.node.name not in FUNCTIONS | CLOCKS:
            yield f"`{node.node.name}` is no function; there are {', '.join(sorted(FUNCTIONS | CLOCKS))}"
    elif not isinstance(node.node, nodes.Getattr):
        yield "only functions and methods can be called"
    elif node.node.attr not in METHODS:
        yield f"there is no method `{node.node.attr}` here; there are {', '.join(sorted(METHODS))}"
