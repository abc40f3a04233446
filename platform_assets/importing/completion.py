"""What a platform of the same API says already, where an imported configuration says nothing (`--like`)."""

from collections.abc import Callable
from dataclasses import replace

from platform_assets.declarations import Endpoint, Platform, Resource, SingleObject
from platform_assets.importing.dlt_config import Imported
from platform_assets.importing.findings import Findings, Severity

# Keys of an endpoint that no dlt configuration has a word for.
_ENDPOINT_KEYS = ("envelope", "incremental", "record", "exclude", "epoch_times", "scope", "docs_url")
_RESOURCE_KEYS = ("key_fallback", "exclude", "personal", "on_removal", "freshness")


def complete(imported: Imported, known: Platform) -> Imported:
    """The imported platform with what `known` says of resources of the same name; what the configuration says stays.

    Each value that is taken is a finding.
    """
    findings = Findings(imported.findings)
    same = {resource.name: resource for resource in known.resources}
    resources = tuple(
        _completed(imported, one, known, same[one.name], findings) if one.name in same else one
        for one in imported.platform.resources
    )
    client = replace(
        imported.platform.client,
        null_is_empty=known.client.null_is_empty,
        success_field=known.client.success_field,
        epoch_times=known.client.epoch_times,
    )
    for key in ("null_is_empty", "success_field", "epoch_times"):
        if getattr(client, key) != getattr(imported.platform.client, key):
            findings.assumed(None, f"client.{key}", f"as in `{known.name}`, since the configuration does not say")
    platform = replace(imported.platform, client=client, resources=resources)
    types = {one.name: one.columns for one in same.values()}
    left = {resource.name: resource.columns for resource in resources}
    untyped = tuple(
        (name, field) for name, field in imported.untyped if field not in types.get(name, {}) and field in left[name]
    )
    undetected = tuple(name for name in imported.undetected if name not in same)
    return replace(imported, platform=platform, findings=findings.all(), untyped=untyped, undetected=undetected)


def _completed(
    imported: Imported, resource: Resource, known: Platform, other: Resource, findings: Findings
) -> Resource:
    name = resource.name

    def take(key: str) -> None:
        findings.drop(name, key, Severity.ASSUMED)
        findings.assumed(name, key, f"as in `{known.name}`, since the configuration does not say")

    endpoint = resource.endpoint
    changed = _changed_endpoint(resource, other, take)
    if (name in imported.undetected or isinstance(known.paginator_of(other), SingleObject)) and known.paginator_of(
        other
    ) != imported.platform.paginator_of(resource):
        changed["paginator"] = known.paginator_of(other)
        take("paginator")
    untyped = {field for place, field in imported.untyped if place == name}
    own = {field: kind for field, kind in resource.columns.items() if field not in untyped}
    columns = {**other.columns, **own, **dict.fromkeys(untyped - other.columns.keys(), "text")}
    for field in untyped & other.columns.keys():
        findings.drop(name, f"columns.{field}", Severity.ASSUMED)
    if columns != dict(resource.columns):
        take("columns")
    more = {}
    for key in _RESOURCE_KEYS:
        value = getattr(other, key)
        if value and not getattr(resource, key):
            more[key] = value
            take(key)
    key = known.primary_key_of(other)
    if (name, "primary_key") in imported.from_defaults and key != imported.platform.primary_key_of(resource):
        more["primary_key"] = key[0] if len(key) == 1 else key
        columns = {field: kind for field, kind in columns.items() if field in other.columns or field in own}
        take("primary_key")
    return replace(resource, endpoint=replace(endpoint, **changed), columns=columns, **more)


def _changed_endpoint(resource: Resource, other: Resource, take: Callable[[str], None]) -> dict[str, object]:
    endpoint: Endpoint = resource.endpoint
    changed: dict[str, object] = {}
    for key in _ENDPOINT_KEYS:
        value = getattr(other.endpoint, key)
        if value not in (None, ()) and not getattr(endpoint, key):
            changed[key] = value
            take(key)
    params = {
        name: value
        for name, value in other.endpoint.params.items()
        if name not in endpoint.params and name not in other.endpoint.placeholders
    }
    if params:
        changed["params"] = {**endpoint.params, **params}
        take("params")
    return changed
