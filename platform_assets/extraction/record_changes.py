"""From a page's records, as the server sends them, to records with the table's fields."""

from collections import Counter
from collections.abc import Mapping

from platform_assets.declarations import Platform, Resource
from platform_assets.extraction.queries import Query
from platform_assets.extraction.record_steps import record_steps
from platform_assets.extraction.record_templates import RecordTemplates
from platform_assets.extraction.reshaping import flatten, remove
from platform_assets.extraction.shaping import shape, times_from_epoch
from platform_assets.extraction.template_values import template_values
from platform_assets.http.selection import Record, drop_fields


class RecordChanges:
    """What a list's declaration makes of its records: fewer of them, and other fields.

    Args:
        platform: with the contract applied.
        resource: whose table gets the records.
        query: by which they are read.
        configured: setting -> its values.
        never_loaded: fields that no template may copy.
        counts: incremented by `filtered`, the records that were left out.

    Raises AnswerError for a template that cannot be compiled.
    """

    def __init__(
        self,
        platform: Platform,
        resource: Resource,
        query: Query,
        configured: Mapping[str, tuple[str, ...]],
        never_loaded: tuple[str, ...],
        counts: Counter[str],
    ) -> None:
        self._declared = declared = query.endpoint.record
        self._filters_shaped = query.endpoint.filters_shaped
        self._query_values = query.values
        self._never_loaded = never_loaded
        epochs = platform.client.has_epoch_times(query.endpoint)
        self._times = [name for name, kind in resource.columns.items() if kind == "timestamp"] if epochs else []
        self._templates = RecordTemplates(query.endpoint, query.values, query.interval, configured, counts)
        self._steps = None
        if declared is not None and declared.steps:
            self._steps = record_steps(declared.steps, template_values(query.values, query.interval, configured))

    def of(self, records: list[Record]) -> list[Record]:
        """The records that are kept, changed in place. Raises AnswerError for one that cannot be changed so."""
        if not self._filters_shaped:
            records = self._templates.kept(records)
        self._shape(records)
        return self._templates.kept(records) if self._filters_shaped else records

    def _shape(self, records: list[Record]) -> None:
        declared = self._declared
        if self._steps is None:
            times_from_epoch(records, self._times)
        if declared is None:
            return
        shape(records, declared, self._query_values)
        if declared.added or self._steps is not None:
            drop_fields(records, self._never_loaded)
        self._templates.add(records)
        if self._steps is not None:
            self._steps(records)
        for flattened in declared.flattened:
            flatten(records, flattened)
        remove(records, declared.removed)
        if declared.added or self._steps is not None:
            # Steps reckon with times as the server has them, and make some themselves.
            times_from_epoch(records, self._times)
