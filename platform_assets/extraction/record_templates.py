"""The templates of one list: which records are kept, and which fields are added to them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from platform_assets.declarations import Endpoint, Template
from platform_assets.extraction.record_steps import put
from platform_assets.extraction.template_values import template_values
from platform_assets.http.selection import Record


class RecordTemplates:
    """An endpoint's templates for records, compiled for one walk. Jinja2 is imported only if there are any.

    Args:
        endpoint: the list.
        values: path value or parameter -> what the request was filled with.
        interval: `start` and `end` of the time window, as they were sent; empty without one.
        configured: setting -> its values.
        counts: incremented by `filtered`, the records that were left out.

    Raises AnswerError for a template that cannot be compiled.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        values: Mapping[str, object],
        interval: Mapping[str, str],
        configured: Mapping[str, tuple[str, ...]],
        counts: Counter[str],
    ) -> None:
        added = endpoint.record.added if endpoint.record else {}
        self._counts = counts
        self._added: dict[str, Any] = dict(added)
        self._filter = None
        if endpoint.record_filter is None and not any(isinstance(one, Template) for one in added.values()):
            return
        from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS
        from platform_assets.http.templates import Rendered

        self._values = template_values(values, interval, configured)
        if endpoint.record_filter is not None:
            self._filter = Rendered(endpoint.record_filter, CONTEXT | FUNCTIONS | CLOCKS, "`record_filter`")
        for name, value in self._added.items():
            if isinstance(value, Template):
                self._added[name] = Rendered(value, CONTEXT | FUNCTIONS | CLOCKS, f"`added` field `{name}`")

    def kept(self, records: list[Record]) -> list[Record]:
        """The records for which the filter holds. Raises AnswerError if it cannot be computed of one."""
        if self._filter is None:
            return records
        kept = [record for record in records if self._filter.holds({**self._values, "record": record})]
        self._counts["filtered"] += len(records) - len(kept)
        return kept

    def add(self, records: Iterable[Record]) -> None:
        """Add the declared fields, in place and in their order. Raises AnswerError as `kept` does."""
        for name, value in self._added.items():
            path = name.split(".")
            for record in records:
                if isinstance(value, str | int | float):
                    put(record, path, value)
                else:
                    put(record, path, value.value({**self._values, "record": record}))
