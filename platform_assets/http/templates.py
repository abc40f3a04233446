"""Renders templates in Jinja2's sandbox, in bounded time and memory, whatever the template and the data are.

    Template -> problem_of (declarations/template_problems.py) -> compiled (template_sandbox.py), once -> value

The sandbox keeps a template from Python's internals, but not from `'a' * 10**9`. So everything that makes a value out
of others (operators, `~`, filters, methods, lists, loops) first pays for it out of one budget per rendering
(template_budget.py).

A rendering costs 10 to 25 microseconds (`{{ record.total * 100 }}`, a condition of two comparisons), and a
compilation about 2 milliseconds.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import TemplateError, UndefinedError

from platform_assets.declarations import Template
from platform_assets.declarations.template_problems import problem_of
from platform_assets.http.errors import AnswerError
from platform_assets.http.template_budget import TooMuch, as_json_value, begin, spend
from platform_assets.http.template_sandbox import compiled

# What a text must not be for a condition to hold, as in declarative connectors.
_FALSE_TEXTS = frozenset({"", "false", "0", "0.0", "{}", "[]", "()", "none"})

Values = Mapping[str, object]


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
            self._compiled, self._is_value = (None, False) if problem else compiled(template.text)
        except (TemplateError, RecursionError, MemoryError, SyntaxError, ValueError, TooMuch) as error:
            problem = f"not a template that can be compiled: {type(error).__name__}"
        if problem is not None:
            raise AnswerError(f"{where}: {problem}")

    def value(self, values: Values) -> Any:
        """What the template comes to: JSON's types only, of its own and never part of `values`.

        None if it was computed from something missing. Raises AnswerError, naming the template, for everything else
        that goes wrong, e.g. if it would take too much time or memory.
        """
        begin()
        try:
            return as_json_value(self._rendered(values))
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
            spend(1 + len(chunk))
            chunks.append(chunk)
        return context.vars["result"] if self._is_value else "".join(chunks)


class SettingText(str):
    """A setting's text, which does not hold as a condition if it says so: settings have no other type than text."""

    def __bool__(self) -> bool:
        return self.strip().lower() not in _FALSE_TEXTS


def settings_values(configured: Mapping[str, Iterable[str]]) -> dict[str, object]:
    """`config` of a template: setting -> its value, a list if it has several. One that is not set is not in it."""
    found: dict[str, object] = {}
    for name, values in configured.items():
        every = [SettingText(value) for value in values]
        found[name] = every[0] if len(every) == 1 else every
    return found
