"""A manifest's streams as a `Platform`, with a finding for everything that is not the same.

Stream -> requesting   address, path, parameters, headers, body
          paging       paginator
          partitions   parents and lists of values
          cursors      incremental
          records      selector, filter
          decoding     what responses are written in
          transformations  fields that are added, made flat, renamed and removed
          failures     what responses mean
          report_jobs  what is asked about a report until it is there
          schemas      columns
       -> credentials  of all streams together
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from platform_assets.declarations import (
    Auth,
    Buckets,
    Client,
    Contract,
    ErrorHandler,
    Incremental,
    Platform,
    Resource,
    Template,
)
from platform_assets.importing.client_defaults import shared_by_most
from platform_assets.importing.dlt_config import Imported, without_problems
from platform_assets.importing.doctor import examine
from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest import report_jobs
from platform_assets.importing.manifest.authenticators import Authenticators
from platform_assets.importing.manifest.components import Manifest
from platform_assets.importing.manifest.cursors import Found, convert_cursor
from platform_assets.importing.manifest.decoding import convert_decoder, of_texts, within
from platform_assets.importing.manifest.drafts import (
    WHOLE,
    Draft,
    chosen_endpoints,
    most_common_auth,
    one_base_url,
    one_clock,
    placed,
    with_columns,
    with_own_auth,
    without_orphans,
)
from platform_assets.importing.manifest.failures import convert_errors
from platform_assets.importing.manifest.groups import grouped
from platform_assets.importing.manifest.identifiers import with_plain_identifiers
from platform_assets.importing.manifest.paging import convert_paging, without_repeated
from platform_assets.importing.manifest.partitions import convert_partitions
from platform_assets.importing.manifest.query_properties import property_lists
from platform_assets.importing.manifest.rate_limits import rate_limit_of
from platform_assets.importing.manifest.records import convert_filter, convert_selector, filters_shaped
from platform_assets.importing.manifest.requesting import convert_request
from platform_assets.importing.manifest.schemas import columns_of, key_type, properties_of
from platform_assets.importing.manifest.texts import NotCarried, Texts
from platform_assets.importing.manifest.transformations import convert_transformations
from platform_assets.importing.names import snake_case

_BUCKETS = 16
_MOST_AT_ONCE = 16
# Parents that are no streams themselves may have such parents too.
_MAX_GENERATIONS = 10
_EPOCH = ("%s", "%s_as_float")


def import_manifest(manifest: Manifest, name: str, findings: Findings) -> Imported:
    """The platform called `name` that a manifest declares. Raises UnreadableDocument if no stream can be carried."""
    components = _with_parents(manifest)
    manifest = replace(manifest, settings=with_plain_identifiers(manifest.settings, components.values(), findings))
    names = _names(components)
    drafts: list[Draft] = []
    for written, component in components.items():
        resource = names[written]
        try:
            drafts.append(_Reader(manifest, names, findings, resource, written).draft(component))
        except NotCarried as error:
            findings.not_carried(resource, WHOLE, str(error))
    drafts = without_orphans(drafts, findings)
    if not drafts:
        reasons = "; ".join(f"{one.resource or one.what}: {one.why}" for one in findings.all()[:5])
        raise UnreadableDocument(f"{manifest.file}: none of its streams can be carried: {reasons}")
    base_url, drafts = one_base_url(drafts, findings)
    auth = most_common_auth(drafts)
    drafts = [with_own_auth(one, auth) for one in drafts]
    drafts, is_epoch = one_clock(drafts)
    resources = tuple(placed(one, base_url) for one in with_columns(drafts))
    platform = _platform(manifest, name, base_url, auth, resources, names, findings)
    client = replace(platform.client, epoch_times=is_epoch)
    options = dict(next((one.options for one in drafts if one.auth == auth), ()))
    contracts = {
        option: Contract(
            client=replace(client, auth=own), endpoints=chosen_endpoints(resources, drafts, option), base_url=base_url
        )
        for option, own in options.items()
    }
    platform = without_problems(replace(platform, client=client, contracts=contracts), findings)
    examine(platform, findings)
    kept = {one.name for one in platform.resources}
    untyped = tuple((one.resource.name, field) for one in drafts for field in one.untyped if one.resource.name in kept)
    return Imported(
        platform=platform,
        base_url=base_url,
        findings=findings.all(),
        untyped=untyped,
    )


def _with_parents(manifest: Manifest) -> dict[str, Mapping[str, Any]]:
    """Streams by their name, and what is read for them: parents and lists of properties that are no streams."""
    found = {one.name: one.component for one in manifest.streams}
    waiting = list(found.values())
    for _ in range(_MAX_GENERATIONS):
        following: list[Mapping[str, Any]] = []
        for component in waiting:
            retriever = component.get("retriever")
            router = retriever.get("partition_router") if isinstance(retriever, Mapping) else None
            try:
                parents = convert_partitions(router, manifest.settings, {}).parents
                lists = {str(one["name"]): one for one in property_lists(component).values()}
            except NotCarried:
                continue
            for name, parent in {**parents, **lists}.items():
                if name not in found:
                    found[name] = parent
                    following.append(parent)
        waiting = following
    return found


def _names(components: Iterable[str]) -> dict[str, str]:
    """Stream as written -> a resource's name."""
    found: dict[str, str] = {}
    for number, written in enumerate(components, 1):
        name = base = snake_case(written) or f"stream_{number}"
        place = 2
        while name in found.values():
            name, place = f"{base}_{place}", place + 1
        found[written] = name
    return found


class _Reader:
    """Reads one stream."""

    def __init__(
        self, manifest: Manifest, names: Mapping[str, str], findings: Findings, name: str, written: str
    ) -> None:
        self._manifest = manifest
        self._names = names
        self._findings = findings
        self._name = name
        self._written = written

    def draft(self, component: Mapping[str, Any]) -> Draft:
        """Raises NotCarried for a stream that would not have its rows."""
        retriever, findings, name = component.get("retriever"), self._findings, self._name
        written = retriever
        if isinstance(retriever, Mapping) and retriever.get("type") == report_jobs.KIND:
            retriever = report_jobs.as_simple(retriever)
        if not isinstance(retriever, Mapping) or retriever.get("type") != "SimpleRetriever":
            kind = retriever.get("class_name") or retriever.get("type") if isinstance(retriever, Mapping) else None
            why = "is Python, which is never run" if _is_custom(retriever) else "is not in our vocabulary"
            raise NotCarried(f"the retriever `{kind}` {why}")
        decoder = retriever.get("decoder")
        response_format = convert_decoder(decoder)
        settings = self._manifest.settings
        partitions = convert_partitions(retriever.get("partition_router"), settings, self._names)
        cursor = component.get("incremental_sync")
        cursor = cursor if isinstance(cursor, Mapping) else {}
        texts = Texts(
            settings,
            partitions.values,
            partitions.extra,
            str(cursor.get("partition_field_start") or "start_time"),
            str(cursor.get("partition_field_end") or "end_time"),
            str(cursor.get("cursor_field") or "") or None,
            grouped=partitions.grouped > 0,
        )
        requester = retriever.get("requester")
        requester = requester if isinstance(requester, Mapping) else {}
        selector = retriever.get("record_selector")
        record_filter = convert_filter(selector, texts, findings, name)
        reshaped = convert_transformations(component.get("transformations"), texts, findings, name)
        record = reshaped.record
        job = None
        if isinstance(written, Mapping) and written is not retriever:
            # Before the request: what its templates use has a place there.
            job = report_jobs.convert_job(written, texts, findings, name)
        lists = {param: self._names[str(one["name"])] for param, one in property_lists(component).items()}
        request = convert_request(requester, partitions, texts, findings, name, lists)
        if job is not None:
            report_jobs.refuse_other_credentials(job, request.auth)
        incremental = self._incremental(cursor or None, request.sent, texts)
        asked = request.endpoint
        # The pages of a list, or those of a report's file.
        paged = request if job is None else job.download
        has_body = paged.endpoint.method == "POST" or paged.endpoint.json is not None
        paginator = convert_paging(
            retriever.get("paginator"),
            paged.token,
            settings,
            findings,
            name,
            has_body=has_body,
            sent_as=paged.sent_as,
            counted=paged.counted,
        )
        endpoint = replace(
            without_repeated(asked, paginator, incremental, findings, name),
            paginator=paginator,
            data_selector=within(response_format, decoder, convert_selector(selector)),
            response_format=response_format,
            job=None if job is None else job.job,
            incremental=incremental,
            record_filter=record_filter,
            filters_shaped=record_filter is not None and record is not None and filters_shaped(selector, cursor),
            record=record,
            error_handler=convert_errors(requester.get("error_handler"), texts, findings, name),
        )
        schema = properties_of(component)
        endpoint = grouped(endpoint, partitions, texts, schema, findings, name)
        authenticators = Authenticators(settings, findings)
        auth, options = authenticators.of(
            requester.get("authenticator"), request.base_url, request.auth, has_body=has_body
        )
        key = self._key(component.get("primary_key"), reshaped.left_out)
        keys = {field: key_type(schema.get(field)) or "text" for field in key}
        columns = of_texts({**columns_of(schema, endpoint.record), **keys}, response_format)
        untyped = tuple(field for field in key if key_type(schema.get(field)) is None)
        for field in untyped:
            why = "its type is declared nowhere; `text` holds numbers too, as their digits"
            findings.assumed(name, f"columns.{field}", why)
        if incremental is not None:
            columns[incremental.cursor_path] = "timestamp"
        resource = Resource(
            name=name,
            description=_description(component, name),
            endpoint=endpoint,
            columns=columns,
            primary_key=None if key == ("id",) else key[0] if len(key) == 1 else key,
            partition=Buckets(count=_BUCKETS) if endpoint.parents else None,
            specified_name=self._written if self._written != name else None,
        )
        parents = frozenset(one.resource for one in endpoint.parents.values())
        is_epoch = _is_epoch(cursor, incremental)
        return Draft(resource, request.base_url, auth, options, parents, untyped, is_epoch)

    def _incremental(self, cursor: Mapping[str, Any] | None, sent: Found, texts: Texts) -> Incremental | None:
        try:
            return convert_cursor(cursor, sent, texts, self._findings, self._name)
        except NotCarried as error:
            if sent.start or sent.end:
                raise
            self._findings.not_carried(self._name, "incremental_sync", f"{error}; the list is read in full each time")
            return None

    def _key(self, given: Any, left_out: frozenset[str]) -> tuple[str, ...]:
        """The key's fields; empty for records without one.

        Args:
            left_out: fields that records lack here.
        """
        parts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        found: list[str] = []
        for part in parts:
            keys = part if isinstance(part, list) else [part]
            if len(keys) != 1 or not isinstance(keys[0], str) or "." in keys[0]:
                self._findings.assumed(
                    self._name, "primary_key", f"{keys!r} is inside an object: the key is a hash of the whole record"
                )
                return ()
            if keys[0] in left_out:
                why = f"`{keys[0]}` is left out of the records: the key is a hash of the whole record"
                self._findings.assumed(self._name, "primary_key", why)
                return ()
            found.append(keys[0])
        if not found:
            self._findings.suspected(
                self._name, "primary_key", "there is none: the key is a hash of the record, an edit makes a new row"
            )
        return tuple(found)


def _is_custom(component: Any) -> bool:
    return isinstance(component, Mapping) and bool(component.get("class_name"))


def _is_epoch(cursor: Mapping[str, Any], incremental: Incremental | None) -> bool | None:
    """Whether records have the cursor in seconds since 1970; None without a cursor."""
    if incremental is None:
        return None
    formats = cursor.get("cursor_datetime_formats")
    written = formats[0] if isinstance(formats, list) and formats else cursor.get("datetime_format")
    return written in _EPOCH


def _description(component: Mapping[str, Any], name: str) -> str:
    given = component.get("description")
    return (
        " ".join(given.split())[:200]
        if isinstance(given, str) and given.strip()
        else name.replace("_", " ").capitalize() + "."
    )


def _platform(
    manifest: Manifest,
    name: str,
    base_url: str | Template | None,
    auth: Auth,
    resources: Sequence[Resource],
    names: Mapping[str, str],
    findings: Findings,
) -> Platform:
    endpoints = [one.endpoint for one in resources]
    shared = shared_by_most(endpoints)
    handlers = [one.error_handler or ErrorHandler() for one in endpoints]
    handler = max(handlers, key=handlers.count)
    title = manifest.title or name.replace("_", " ").capitalize()
    return Platform(
        name=name,
        title=title,
        description=f"Imported from {manifest.file}.",
        base_url=base_url,
        client=Client(
            auth=auth,
            probe=_probe(manifest, resources, names),
            paginator=shared.paginator,
            data_selector=shared.data_selector,
            null_is_empty=True,
            object_is_record=True,
            error_handler=handler,
            rate_limit=rate_limit_of(manifest.api_budget, findings),
            max_concurrency=min(manifest.concurrency or 8, _MOST_AT_ONCE),
            max_jobs=manifest.jobs if any(one.job is not None for one in endpoints) else None,
            docs_url=manifest.docs_url,
        ),
        resources=tuple(_shortened(shared.left_out(one), handler) for one in resources),
    )


def _shortened(resource: Resource, handler: ErrorHandler) -> Resource:
    """With its own way with responses only where that is not the client's."""
    own = resource.endpoint.error_handler or ErrorHandler()
    return replace(resource, endpoint=replace(resource.endpoint, error_handler=None if own == handler else own))


def _probe(manifest: Manifest, resources: Sequence[Resource], names: Mapping[str, str]) -> str:
    """The path of a stream that the manifest checks a connection with, or of another plain one."""
    checked = [names[one] for one in manifest.check if one in names]
    plain = {
        one.name: one.endpoint.path
        for one in resources
        if "{" not in one.endpoint.path
        and one.endpoint.base_url is None
        and one.endpoint.auth is None
        and one.endpoint.method == "GET"
        and one.endpoint.job is None
    }
    return next((plain[one] for one in (*checked, *plain) if one in plain), "/")
