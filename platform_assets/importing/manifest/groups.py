"""Streams that ask for several parents in one request.

Each parent has a cursor and rows of its own here, whatever group it was asked for in, so that a group is read as one
only where each record says whose it is; else each parent is asked for alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from platform_assets.declarations import Endpoint, ParentBatch, Resolve
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.partitions import Partitions
from platform_assets.importing.manifest.texts import Texts

_WHAT = "GroupingPartitionRouter"


def grouped(
    endpoint: Endpoint, partitions: Partitions, texts: Texts, schema: Mapping[str, Any], findings: Findings, name: str
) -> Endpoint:
    """The endpoint with the parents that one request takes.

    Args:
        schema: the records' properties.
    """
    if partitions.grouped < 2:
        return endpoint
    parameter = _parameter(endpoint, texts)
    field = None if parameter is None else _singular(parameter)
    if field is None or field not in schema:
        why = f"each parent is asked for alone, not {partitions.grouped} at once: nothing says whose a record would be"
        findings.assumed(name, _WHAT, f"{why}; `batch` of the endpoint can say it")
        return endpoint
    if endpoint.incremental is not None and endpoint.incremental.partial:
        why = f"each parent is asked for alone, not {partitions.grouped} at once: each has a cursor of its own"
        findings.assumed(name, _WHAT, why)
        return endpoint
    findings.assumed(name, _WHAT, f"a record's `{field}` says whose it is, as `{parameter}` asks for it")
    return replace(endpoint, batch=ParentBatch(size=partitions.grouped, parent_field=field))


def _parameter(endpoint: Endpoint, texts: Texts) -> str | None:
    """The query parameter that has the values of a group, joined by commas, if nothing else depends on the parent."""
    resolved = {place: value for place, value in endpoint.values.items() if isinstance(value, Resolve)}
    if len(resolved) != 1 or texts.used:
        return None
    (place,) = resolved
    separator = next(
        (one for name, one in texts.separators.items() if texts.partition.get(name) == resolved[place]), ""
    )
    is_query = place in endpoint.params and place not in endpoint.placeholders and ":" not in place
    return place if is_query and separator == "," else None


def _singular(parameter: str) -> str | None:
    """`job_ids` -> `job_id`; None for a name that is no plural."""
    name = parameter.removesuffix("[]")
    return name[:-1] if name.endswith("s") and len(name) > 1 else None
