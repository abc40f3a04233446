"""A dlt `RESTAPIConfig` as a `Platform`, with a finding for everything that is not the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from platform_assets.declarations import (
    Client,
    DynamicPartitions,
    ErrorHandler,
    Platform,
    Resolve,
    Resource,
    Template,
)
from platform_assets.declarations.validation import problems
from platform_assets.importing.client_defaults import shared_by_most
from platform_assets.importing.dlt_client import ReadClient, at_base_url, credential_param, read_client
from platform_assets.importing.dlt_endpoint import Draft, read_endpoint
from platform_assets.importing.dlt_resources import Written, read_resources
from platform_assets.importing.doctor import examine
from platform_assets.importing.documents import Document
from platform_assets.importing.findings import Finding, Findings, UnreadableDocument
from platform_assets.importing.names import singular, snake_case
from platform_assets.importing.parents import Listing, guess_parents, say_guesses, say_orphans
from platform_assets.importing.selectors import is_spread

_CONFIG_KEYS = ("client", "resource_defaults", "resources")


@dataclass(frozen=True)
class Imported:
    """What was made of a configuration.

    Attributes:
        platform: can run.
        base_url: where the API is, also as a template over settings; None if the setting must say.
        findings: the doctor's report, in the order of the configuration.
        untyped: (resource, field) of keys and path values whose type nobody declared; declared as `text`, which holds
            numbers too.
        undetected: resources whose paging or place of records dlt would find out from the first answer.
        spread: resources whose selector ends with `.*`, which is a list's items, or an object's values.
        from_defaults: (resource, key) of keys that a resource does not say itself, e.g. `primary_key`.
    """

    platform: Platform
    base_url: str | Template | None
    findings: tuple[Finding, ...]
    untyped: tuple[tuple[str, str], ...] = ()
    undetected: tuple[str, ...] = ()
    spread: frozenset[str] = frozenset()
    from_defaults: frozenset[tuple[str, str]] = frozenset()


def import_document(document: Document, name: str) -> Imported:
    """The platform called `name` that a document declares. Raises UnreadableDocument if no resource can be carried."""
    findings = Findings()
    for line in document.others:
        findings.not_carried(None, "another configuration", f"line {line}: one file declares one platform")
    config = document.config
    for key in config:
        if key not in _CONFIG_KEYS:
            findings.not_carried(None, str(key), "is no key of dlt's configuration")
    client = read_client(config.get("client"), findings)
    written = read_resources(config, client.base_url, findings)
    shared_params = [one.params for one in written] or [{}]
    in_all = {name: value for name, value in shared_params[0].items() if all(name in one for one in shared_params)}
    client = replace(client, auth=client.auth or credential_param(in_all, client.auth, findings))
    shared = config.get("client")
    paginator = shared.get("paginator") if isinstance(shared, Mapping) else None
    prose = {snake_case(title): columns for title, columns in document.fields.items()}
    drafts = [
        draft
        for one in written
        if (draft := read_endpoint(one, paginator, prose.get(one.name, {}), findings)) is not None
    ]
    resources, untyped = _with_parents(name, drafts, findings)
    if not resources:
        reasons = "; ".join(f"{one.resource or one.what}: {one.why}" for one in findings.all()[:5])
        raise UnreadableDocument(
            f"{document.file}: none of its resources can be carried: {reasons or 'there are none'}"
        )
    platform = _platform(name, document, client, resources, written, findings)
    platform = without_problems(platform, findings)
    examine(platform, findings)
    names = {resource.name for resource in platform.resources}
    return Imported(
        platform=platform,
        base_url=client.base_url,
        findings=findings.all(),
        untyped=tuple(one for one in untyped if one[0] in names),
        undetected=tuple(draft.name for draft in drafts if draft.undetected and draft.name in names),
        spread=frozenset(one.name for one in written if is_spread(one.endpoint.get("data_selector"))),
        from_defaults=frozenset(
            (one.name, key) for one in written for key in ("primary_key", "paginator", "columns") if key not in one.own
        ),
    )


def _platform(
    name: str,
    document: Document,
    client: ReadClient,
    resources: Sequence[Resource],
    written: Sequence[Written],
    findings: Findings,
) -> Platform:
    shared = shared_by_most([one.endpoint for one in resources])
    plain = [one.endpoint.path for one in resources if not one.endpoint.placeholders]
    handler = _error_handler(document.config, written, findings)
    return Platform(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=f"Imported from {document.file}.",
        client=Client(
            auth=at_base_url(client.auth, client.base_url, findings),
            probe=next(iter(plain), "/"),
            paginator=shared.paginator,
            data_selector=shared.data_selector,
            error_handler=handler,
            headers=dict(client.headers),
        ),
        resources=tuple(_with_handler(shared.left_out(one), handler) for one in resources),
    )


def _with_handler(resource: Resource, handler: ErrorHandler) -> Resource:
    """An endpoint's own way with responses has the client's beside it."""
    own = resource.endpoint.error_handler
    if own is None:
        return resource
    beside = replace(handler, response_actions=own.response_actions)
    return replace(resource, endpoint=replace(resource.endpoint, error_handler=beside))


def _error_handler(config: Mapping[str, Any], written: Sequence[Written], findings: Findings) -> ErrorHandler:
    """A low-code connector's `error_handler`, of the client or the first endpoint that has one."""
    client = config.get("client")
    places = [client if isinstance(client, Mapping) else {}, *(one.endpoint for one in written)]
    handlers = [place["error_handler"] for place in places if isinstance(place.get("error_handler"), Mapping)]
    if not handlers:
        return ErrorHandler()
    given, declared = handlers[0], ErrorHandler()
    if any(handler != given for handler in handlers):
        findings.not_carried(None, "error_handler", "endpoints have several; the first one holds for all")
    findings.mended(None, "error_handler", "dlt refuses the key; it is carried to the client")
    statuses, retries, factor = (given.get(key) for key in ("retry_on_status_codes", "max_retries", "backoff_factor"))
    return ErrorHandler(
        retry_on_status_codes=tuple(one for one in statuses if type(one) is int and 100 <= one <= 599)
        if isinstance(statuses, list)
        else declared.retry_on_status_codes,
        max_retries=retries if type(retries) is int and retries >= 0 else declared.max_retries,
        backoff_factor=float(factor)
        if isinstance(factor, int | float) and not isinstance(factor, bool) and 0 <= factor < 10**6
        else declared.backoff_factor,
    )


def _with_parents(
    platform: str, drafts: Sequence[Draft], findings: Findings
) -> tuple[list[Resource], list[tuple[str, str]]]:
    """The drafts as resources, each with its parent, and what has no known type."""
    by_name = {draft.name: draft for draft in drafts}
    resolved = {draft.name: draft.endpoint.parents for draft in drafts}
    listings = [Listing(one.name, one.endpoint.path) for one in drafts]
    # Those whose lists stand in their paths first: others take after them.
    known: dict[str, Resolve] = {}
    waiting = [draft for draft in drafts if draft.written.undeclared]
    for last_chance in (False, True):
        for draft in list(waiting):
            child = Listing(draft.name, draft.endpoint.path)
            found, reasons = guess_parents(child, draft.written.undeclared, listings, known if last_chance else {})
            if len(found) < len(draft.written.undeclared):
                continue
            waiting.remove(draft)
            say_guesses(draft.name, found, reasons, findings)
            by_name[draft.name], found = _telling(draft, found)
            resolved[draft.name].update(found)
            known = {**found, **known}
    for draft in waiting:
        names = ", ".join(f"{{{name}}}" for name in draft.written.undeclared)
        findings.not_carried(draft.name, "the whole resource", f"nothing says where {names} of its path comes from")
    kept = by_name.keys() - {draft.name for draft in waiting}
    drafts = list(by_name.values())
    _drop_orphans(kept, resolved, findings)
    columns = {name: dict(by_name[name].columns) for name in kept}
    untyped: list[tuple[str, str]] = []
    for draft in drafts:
        for one in resolved[draft.name].values() if draft.name in kept else ():
            field, *inside = one.field.split(".")
            if field not in columns[one.resource]:
                columns[one.resource][field] = "json" if inside else "text"
                if not inside:
                    untyped.append((one.resource, field))
    found_resources: list[Resource] = []
    for draft in drafts:
        if draft.name not in kept:
            continue
        key = draft.primary_key
        for field in (key,) if isinstance(key, str) else key:
            if field not in columns[draft.name]:
                columns[draft.name][field] = "text"
                untyped.append((draft.name, field))
        found_resources.append(_resource(platform, draft, resolved, columns[draft.name], findings))
    untyped = list(dict.fromkeys(untyped))
    for resource, field in untyped:
        findings.assumed(
            resource,
            f"columns.{field}",
            "its type is declared nowhere; `text` holds numbers too, as their digits. `--sample` takes it from the API",
        )
    return found_resources, untyped


def _telling(draft: Draft, parents: Mapping[str, Resolve]) -> tuple[Draft, dict[str, Resolve]]:
    """The draft and its parents with `{deal_id}` in its path where a low-code connector has `{parent_id}`."""
    path, named = draft.endpoint.path, dict[str, Resolve]()
    for name, one in parents.items():
        words = snake_case(name).split("_")
        telling = f"{singular(one.resource)}_{words[-1]}" if words[0] == "parent" else name
        path = path.replace("{" + name + "}", "{" + telling + "}")
        named[telling] = one
    return replace(draft, endpoint=replace(draft.endpoint, path=path)), named


def _drop_orphans(kept: set[str], resolved: Mapping[str, Mapping[str, Resolve]], findings: Findings) -> None:
    """Leave out children whose parent is not there."""
    parents = {name: {one.resource for one in resolved[name].values()} for name in sorted(kept)}
    kept -= say_orphans(parents, findings)


def _resource(
    platform: str,
    draft: Draft,
    resolved: Mapping[str, Mapping[str, Resolve]],
    columns: Mapping[str, str],
    findings: Findings,
) -> Resource:
    parents = resolved[draft.name]
    guessed = {name: one for name, one in parents.items() if name not in draft.endpoint.parents}
    endpoint = replace(draft.endpoint, params={**draft.endpoint.params, **guessed})
    partition = None
    if parents:
        parent = next(iter(parents.values())).resource
        partition = DynamicPartitions(name=_partition_name(platform, parent, parents, resolved.values()))
    for field in draft.include_from_parent:
        if field not in {one.field for one in parents.values()}:
            findings.not_carried(
                draft.name,
                f"include_from_parent.{field}",
                "only the values of the path are added; join the parent's table",
            )
    return Resource(
        name=draft.name,
        description=f"{draft.name.replace('_', ' ').capitalize()}.",
        endpoint=endpoint,
        columns=columns,
        primary_key=None if draft.primary_key == "id" else draft.primary_key,
        partition=partition,
        on_removal=draft.on_removal,
        specified_name=draft.written.specified,
    )


def _partition_name(
    platform: str, parent: str, own: Mapping[str, Resolve], every: Iterable[Mapping[str, Resolve]]
) -> str:
    """Called after the parent; after its fields too if the parent's children have different ones.

    In Dagster, partitions of one name have one set of keys.
    """
    sets = {tuple(one.field for one in other.values()) for other in every if _is_of(other, parent)}
    fields = "_".join(snake_case(one.field) for one in own.values()) if len(sets) > 1 else ""
    return "_".join(filter(None, (platform, singular(parent), fields)))


def _is_of(parents: Mapping[str, Resolve], parent: str) -> bool:
    return any(one.resource == parent for one in parents.values())


def without_problems(platform: Platform, findings: Findings) -> Platform:
    """The platform without resources that could not run; each is a finding."""
    while True:
        found = next(problems(platform), None)
        if found is None:
            return platform
        name, key, why = found
        left = tuple(one for one in platform.resources if one.name != name and one.parent != name)
        if name is None or not left:
            raise UnreadableDocument(f"{name or platform.name}: `{key}`: {why}")
        for one in platform.resources:
            if one.name == name:
                findings.not_carried(name, "the whole resource", f"`{key}`: {why}")
            elif one.parent == name:
                findings.not_carried(one.name, "the whole resource", f"its parent `{name}` is not there")
        platform = replace(platform, resources=left)
