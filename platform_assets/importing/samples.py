"""What one answer of a list tells about it: where its records are, their key's type, whether it is a list at all."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platform_assets.declarations import HeaderLink, JsonLink, Platform, Resolve, Resource, SingleObject, SinglePage
from platform_assets.importing.dlt_config import Imported
from platform_assets.importing.findings import Findings, Severity

# Names that lists of records have, as dlt looks for them.
_LIST_NAMES = (
    "data",
    "items",
    "results",
    "entries",
    "records",
    "rows",
    "entities",
    "payload",
    "content",
    "objects",
    "values",
)
# Fields that name a record, the likeliest first.
_KEY_FIELDS = ("id", "uuid", "guid", "key", "slug", "code", "name")
# Fields that a path value may be, where the guessed one is not there.
_PATH_FIELDS = ("slug", "id", "key", "login", "name", "uuid")
_DEEPEST = 3


@dataclass(frozen=True)
class Sample:
    """The first answer of a resource's list.

    Attributes:
        body: its parsed JSON.
        link_header: its `Link` header.
    """

    body: Any
    link_header: str = ""


def learn(imported: Imported, samples: Mapping[str, Sample]) -> Imported:
    """The imported platform with what samples of its resources (by name) tell; each change is a finding."""
    findings = Findings(imported.findings)
    learner = _Learner(imported, samples, findings)
    resources = tuple(learner.learnt(one) for one in imported.platform.resources)
    platform = replace(imported.platform, resources=resources)
    types = {(name, field) for name, field in imported.untyped if (name, field) not in learner.typed}
    platform = _with_parent_fields(platform, learner, findings)
    kept = [
        one
        for one in findings.all()
        if not (one.resource and one.what.startswith("columns.") and (one.resource, one.what[8:]) in learner.typed)
    ]
    return replace(
        imported,
        platform=platform,
        findings=tuple(kept),
        untyped=tuple(one for one in imported.untyped if one in types),
        undetected=tuple(name for name in imported.undetected if name not in samples),
    )


class _Learner:
    """Attributes: typed: (resource, field) whose types are known now; records: resource -> records of its sample."""

    def __init__(self, imported: Imported, samples: Mapping[str, Sample], findings: Findings) -> None:
        self._imported = imported
        self._samples = samples
        self._findings = findings
        self.typed: set[tuple[str, str]] = set()
        self.records: dict[str, list[dict[str, Any]]] = {}

    def learnt(self, resource: Resource) -> Resource:
        sample = self._samples.get(resource.name)
        if sample is None:
            return resource
        platform = self._imported.platform
        resource, selected = self._with_selector(platform, resource, sample)
        if isinstance(selected, dict) and resource.name in self._imported.spread:
            selector = f"{platform.data_selector_of(resource)}.*"
            resource = replace(resource, endpoint=replace(resource.endpoint, data_selector=selector))
            self._findings.mended(resource.name, "data_selector", f"the answer has an object of records: `{selector}`")
            selected = list(selected.values())
        elif isinstance(selected, dict) and not isinstance(platform.paginator_of(resource), SingleObject):
            resource = replace(resource, endpoint=replace(resource.endpoint, paginator=SingleObject()))
            self._findings.mended(resource.name, "paginator", "the answer is one object, not a list: `SingleObject()`")
        if resource.name in self._imported.undetected and not isinstance(selected, dict):
            resource = self._with_paging(platform, resource, sample)
        records = [selected] if isinstance(selected, dict) else selected if isinstance(selected, list) else []
        records = [one for one in records if isinstance(one, dict)]
        self.records[resource.name] = records
        if not records:
            self._findings.assumed(resource.name, "sample", "the answer has no record, so nothing was learnt from it")
            return resource
        return self._with_types(self._with_key(resource, records), records)

    def _with_selector(self, platform: Platform, resource: Resource, sample: Sample) -> tuple[Resource, Any]:
        """The resource with a place of records that the answer has, and what is there."""
        selector = platform.data_selector_of(resource)
        selected = at(sample.body, selector)
        found = isinstance(selected, list) or (isinstance(selected, dict) and selector != "")
        if found or isinstance(platform.paginator_of(resource), SingleObject):
            return resource, selected
        lists = sorted(
            _lists(sample.body), key=lambda path: (path.rpartition(".")[2] not in _LIST_NAMES, path.count("."))
        )
        if not lists:
            return resource, selected
        self._findings.drop(resource.name, "data_selector", Severity.ASSUMED)
        self._findings.mended(resource.name, "data_selector", f"the answer has its records at `{lists[0]}`")
        endpoint = replace(resource.endpoint, data_selector=lists[0])
        return replace(resource, endpoint=endpoint), at(sample.body, lists[0])

    def _with_paging(self, platform: Platform, resource: Resource, sample: Sample) -> Resource:
        """The resource with the next page's address that its answer has, looked for as dlt does."""
        if not isinstance(platform.paginator_of(resource), SinglePage):
            return resource
        following = next(iter(_next_links(sample.body)), None)
        paginator, what = None, ""
        if re.search(r"rel=\"?next\"?", sample.link_header):
            paginator, what = HeaderLink(), "the answer's `Link` header leads to a next page"
        elif following is not None:
            paginator, what = JsonLink(next_url_path=following), f"the answer leads to a next page at `{following}`"
        if paginator is None:
            return resource
        self._findings.drop(resource.name, "paginator", Severity.ASSUMED)
        self._findings.mended(resource.name, "paginator", what)
        return replace(resource, endpoint=replace(resource.endpoint, paginator=paginator))

    def _with_key(self, resource: Resource, records: Sequence[Mapping[str, Any]]) -> Resource:
        key = self._imported.platform.primary_key_of(resource)
        absent = [field for field in key if any(record.get(field) is None for record in records)]
        if not absent:
            return resource
        other = next((field for field in _KEY_FIELDS if _tells_apart(field, records)), None)
        if other is None or (resource.name, "primary_key") not in self._imported.from_defaults:
            self._findings.suspected(resource.name, "primary_key", f"records of the answer have no `{absent[0]}`")
            return resource
        self._findings.mended(
            resource.name, "primary_key", f"records of the answer have no `{absent[0]}`; `{other}` tells them apart"
        )
        columns = {name: kind for name, kind in resource.columns.items() if name not in absent}
        self.typed.update((resource.name, field) for field in absent)
        return replace(resource, primary_key=other, columns={other: "text", **columns})

    def _with_types(self, resource: Resource, records: Sequence[Mapping[str, Any]]) -> Resource:
        columns = dict(resource.columns)
        fields = {field for name, field in self._imported.untyped if name == resource.name}
        fields.update(
            self._imported.platform.primary_key_of(resource),
            [resource.primary_key] if isinstance(resource.primary_key, str) else [],
        )
        for field in fields & columns.keys():
            kind = _kind_of([record.get(field) for record in records])
            if kind is not None and columns[field] == "text":
                columns[field] = kind
                self.typed.add((resource.name, field))
        incremental = resource.endpoint.incremental
        if incremental is not None and all(record.get(incremental.cursor_path) is None for record in records):
            self._findings.suspected(
                resource.name, "incremental", f"records of the answer have no `{incremental.cursor_path}`, its cursor"
            )
        return replace(resource, columns=columns)


def _with_parent_fields(platform: Platform, learner: _Learner, findings: Findings) -> Platform:
    """Path values that parents' records have, where a guessed field is not there."""
    columns = {resource.name: dict(resource.columns) for resource in platform.resources}
    endpoints = {resource.name: resource.endpoint for resource in platform.resources}
    for resource in platform.resources:
        for name, resolve in resource.endpoint.parents.items():
            records = learner.records.get(resolve.resource)
            if not records or any(at(record, resolve.field) is not None for record in records):
                continue
            field = next((one for one in _PATH_FIELDS if _tells_apart(one, records)), None)
            if field is None:
                findings.suspected(
                    resource.name, f"path {{{name}}}", f"records of the parent have no `{resolve.field}`"
                )
                continue
            findings.mended(
                resource.name,
                f"path {{{name}}}",
                f"records of the parent have no `{resolve.field}`, and have `{field}`",
            )
            endpoint = endpoints[resource.name]
            endpoints[resource.name] = replace(
                endpoint, params={**endpoint.params, name: Resolve(resource=resolve.resource, field=field)}
            )
            kind = _kind_of([record.get(field) for record in records]) or "text"
            columns[resolve.resource].setdefault(field, kind)
    return replace(
        platform,
        resources=tuple(
            replace(resource, columns=columns[resource.name], endpoint=endpoints[resource.name])
            for resource in platform.resources
        ),
    )


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, None if there is none; `""` is the body."""
    for key in path.split(".") if path else ():
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _lists(body: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Dotted paths to the lists of objects in a body."""
    if isinstance(body, list):
        if not body or isinstance(body[0], dict):
            yield path
        return
    if isinstance(body, dict) and depth < _DEEPEST:
        for key, value in body.items():
            if "." not in key:
                yield from _lists(value, f"{path}.{key}" if path else key, depth + 1)


def _next_links(body: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Dotted paths to addresses of a next page: `next`, `links.next`, `paging.next.url`."""
    if not isinstance(body, dict) or depth > _DEEPEST:
        return
    for key, value in body.items():
        place = f"{path}.{key}" if path else str(key)
        if str(key).lower().startswith("next") and isinstance(value, str) and value.startswith(("http", "/")):
            yield place
        elif isinstance(value, dict) and "." not in str(key):
            for inner in ("href", "url") if str(key).lower().startswith("next") else ():
                if isinstance(value.get(inner), str):
                    yield f"{place}.{inner}"
            yield from _next_links(value, place, depth + 1)


def _tells_apart(field: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each record has a value of its own in a field."""
    values = [record.get(field) for record in records]
    return all(isinstance(one, str | int) and one != "" for one in values) and len(set(values)) == len(values)


def _kind_of(values: Sequence[Any]) -> str | None:
    """The one data type of some values; None if there is no value, or several types."""
    kinds = {type(value) for value in values if value is not None}
    types = {str: "text", int: "bigint", dict: "json", list: "json", float: "double", bool: "bool"}
    return types.get(kinds.pop()) if len(kinds) == 1 else None
