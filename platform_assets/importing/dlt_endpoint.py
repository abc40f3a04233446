"""One resource of a dlt configuration: its list, key, cursor and columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from platform_assets.declarations import (
    Auth,
    Endpoint,
    ErrorHandler,
    OnRemoval,
    Paginator,
    ResponseAction,
    SingleObject,
    SinglePage,
)
from platform_assets.declarations.auth_problems import auth_problems
from platform_assets.importing.dlt_client import read_auth
from platform_assets.importing.dlt_columns import keys_in_columns, read_columns
from platform_assets.importing.dlt_incremental import Cursored, read_incremental
from platform_assets.importing.dlt_paginators import as_object, convert_paginator
from platform_assets.importing.dlt_resources import FUNCTIONS, Written, read_form, read_headers, read_json, read_params
from platform_assets.importing.findings import Findings
from platform_assets.importing.selectors import dotted, is_spread

_RESOURCE_KEYS = [
    "name",
    "endpoint",
    "columns",
    "primary_key",
    "write_disposition",
    "incremental_sync",
    "include_from_parent",
    "processing_steps",
    "max_table_nesting",
    "selected",
    "table_name",
    "merge_key",
]
# Of no meaning here: what they ask for is always so, or done in another way.
_UNNEEDED = ["parallelized", "schema_contract", "section", "table_format", "file_format", "references", "description"]
_ENDPOINT_KEYS = [
    "path",
    "params",
    "paginator",
    "data_selector",
    "incremental",
    "method",
    "json",
    "data",
    "response_actions",
    "auth",
    "headers",
    "error_handler",
]


@dataclass(frozen=True)
class Draft:
    """A resource before its parents are known.

    Attributes:
        written: as it was written.
        endpoint: its path values are those that were declared.
        primary_key: as declared or assumed.
        columns: with the cursor.
        on_removal: None for what follows from how it is read.
        undetected: whether dlt would find out its paging or the place of its records from the first answer.
        include_from_parent: fields of the parent to add.
    """

    written: Written
    endpoint: Endpoint
    primary_key: str | tuple[str, ...]
    columns: Mapping[str, str]
    on_removal: OnRemoval | None
    undetected: bool
    include_from_parent: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.written.name


def read_endpoint(
    written: Written, shared_paginator: Any, prose: Mapping[str, str], findings: Findings
) -> Draft | None:
    """A resource as ours; None if it has to be left out, which is a finding.

    Args:
        shared_paginator: the client's, as written.
        prose: field -> type, as the text around the configuration says.
    """
    name = written.name
    _say_unknown_keys(written, findings)
    if not _can_be_sent(written, findings):
        return None
    cursored = read_incremental(written, findings)
    paging = written.endpoint.get("paginator")
    paging = shared_paginator if paging is None else paging
    kind = "auto" if paging is None else (as_object(paging) or {}).get("type", "unknown")
    single = _is_single(written)
    paged = None if single else convert_paginator(paging, written.params, name, findings)
    if paged is None and kind != "auto" and not single:
        findings.not_carried(
            name, "the whole resource", "its pages cannot be followed: part of it would look like all of it"
        )
        return None
    selector, is_known = _selector(written, single=single, findings=findings)
    if selector is None:
        findings.not_carried(
            name,
            "the whole resource",
            f"`{written.endpoint.get('data_selector')}` finds its records in more than one place",
        )
        return None
    paginator: Paginator = SingleObject() if single else paged.paginator if paged else SinglePage()
    if paged is None and not single:
        findings.assumed(
            name,
            "paginator",
            "none is declared: it is read as one page. dlt looks for the next one in the answer, as `--sample` does",
        )
    if single and kind not in ("auto", "single_page"):
        findings.assumed(name, "paginator", "its path ends with a value: it is one object, and has no pages")
    taken = (*cursored.taken, *(paged.taken if paged else ()))
    return Draft(
        written=written,
        endpoint=Endpoint(
            path=written.path,
            auth=_auth(written, findings),
            params=read_params(written, taken, findings),
            method="POST" if _method(written) == "POST" else "GET",
            json=read_json(written, findings),
            data=read_form(written, findings),
            headers=read_headers(written, findings),
            paginator=paginator,
            data_selector=selector,
            incremental=cursored.incremental,
            error_handler=_error_handler(written, findings),
        ),
        primary_key=_primary_key(written, findings),
        columns=_columns(written, cursored, prose, findings),
        on_removal=_on_removal(written, findings),
        undetected=not single and (paged is None or not is_known),
        include_from_parent=_texts(written.given.get("include_from_parent")),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _say_unknown_keys(written: Written, findings: Findings) -> None:
    name, given = written.name, written.given
    steps = given.get("processing_steps")
    for key in given:
        if key not in (*_RESOURCE_KEYS, *_UNNEEDED):
            findings.not_carried(name, key, "is no key of a resource of dlt's")
    for key in written.endpoint:
        if key not in _ENDPOINT_KEYS:
            findings.not_carried(name, f"endpoint.{key}", "is no key of an endpoint of dlt's")
    for number, step in enumerate(steps if isinstance(steps, list) else []):
        for kind in step if isinstance(step, Mapping) else ():
            findings.not_carried(name, f"processing_steps[{number}].{kind}", FUNCTIONS)
    if given.get("selected") is False:
        findings.mended(name, "selected", "is loaded too: children take their path values from the table")
    if given.get("max_table_nesting") not in (None, 0):
        findings.mended(name, "max_table_nesting", "nested values stay in one `json` column")
    if isinstance(given.get("table_name"), str) and given["table_name"] != name:
        findings.not_carried(name, "table_name", f"the table is called after the resource: `{name}`")
    if given.get("merge_key") is not None:
        findings.not_carried(name, "merge_key", "rows are merged by the primary key")


def _method(written: Written) -> str:
    return str(written.endpoint.get("method") or "GET").upper()


def _can_be_sent(written: Written, findings: Findings) -> bool:
    name, endpoint = written.name, written.endpoint
    method = _method(written)
    if method not in ("GET", "POST"):
        findings.not_carried(name, "the whole resource", f"it is read by {method}")
        return False
    body = next((key for key in ("json", "data") if endpoint.get(key)), None)
    if method == "GET" and body is not None:
        findings.suspected(name, f"endpoint.{body}", "a GET with a body, which many servers and proxies drop")
    return True


def _auth(written: Written, findings: Findings) -> Auth | None:
    """A credential of the endpoint's own; None for the client's, also in place of one that cannot be sent."""
    auth = read_auth(written.endpoint.get("auth"), "endpoint.auth", written.name, findings)
    for problem in auth_problems(auth) if auth is not None else ():
        findings.not_carried(written.name, "endpoint.auth", problem)
        return None
    return auth


def _error_handler(written: Written, findings: Findings) -> ErrorHandler | None:
    """dlt's `response_actions`; None without any. What the client says is added later."""
    actions: list[ResponseAction] = []
    given = written.endpoint.get("response_actions")
    for number, one in enumerate(given if isinstance(given, list) else []):
        action = one.get("action") if isinstance(one, Mapping) else None
        if not isinstance(one, Mapping) or action != "ignore":
            findings.not_carried(
                written.name, f"response_actions[{number}]", "only `ignore` is an action; functions are never run"
            )
            continue
        status, content = one.get("status_code"), one.get("content")
        status = int(status) if isinstance(status, str) and status.isdigit() else status
        actions.append(
            ResponseAction(
                action="ignore",
                status_code=status if type(status) is int else None,
                content=content if isinstance(content, str) else None,
            )
        )
    return ErrorHandler(response_actions=tuple(actions)) if actions else None


def _is_single(written: Written) -> bool:
    """Whether a path leads to one object, as dlt guesses it: it ends with a value, and nothing says it is a list."""
    if not PurePosixPath(written.path).name.startswith("{"):
        return False
    kind = (as_object(written.endpoint.get("paginator")) or {}).get("type", "auto")
    if kind in ("auto", "single_page") and written.endpoint.get("data_selector") in (None, "$"):
        return True
    # Parents that nobody declared: the configuration never ran, and its paginator was copied from the lists.
    return bool(written.undeclared) and PurePosixPath(written.path).name.strip("{}") in written.undeclared


def _selector(written: Written, *, single: bool, findings: Findings) -> tuple[str | None, bool]:
    """Place of the records, and whether it is said; None if it is more than one place."""
    given = written.endpoint.get("data_selector")
    if given is None:
        if not single:
            findings.assumed(
                written.name,
                "data_selector",
                "none is declared: the body itself is the list. dlt looks for one in the answer, as `--sample` does",
            )
        return "", single
    found = dotted(given)
    if found and is_spread(given):
        findings.mended(
            written.name,
            "data_selector",
            f"`{given}` means the items of the list `{found}`; for an object of records, write `{found}.*`",
        )
    return found, True


def _primary_key(written: Written, findings: Findings) -> str | tuple[str, ...]:
    given = written.given.get("primary_key")
    key = (given,) if isinstance(given, str) else _texts(given) or keys_in_columns(written.given.get("columns"))
    if key:
        if "primary_key" not in written.own and isinstance(given, str):
            findings.assumed(
                written.name,
                "primary_key",
                f"`{given}` is from `resource_defaults`; a record without it fails the read",
            )
        return key[0] if len(key) == 1 else tuple(dict.fromkeys(key))
    findings.assumed(written.name, "primary_key", "none is declared: `id` is taken; a record without it fails the read")
    return "id"


def _columns(written: Written, cursored: Cursored, prose: Mapping[str, str], findings: Findings) -> dict[str, str]:
    # A text in prose may well be a time; of a key it is what matters.
    key = written.given.get("primary_key")
    prose = {field: kind for field, kind in prose.items() if kind != "text" or field == key}
    columns = {**prose, **read_columns(written.given.get("columns"), written.name, findings)}
    if cursored.incremental is not None:
        columns[cursored.incremental.cursor_path] = "timestamp"
    return columns


def _on_removal(written: Written, findings: Findings) -> OnRemoval | None:
    given = written.given.get("write_disposition")
    strategy = given.get("strategy") if isinstance(given, Mapping) else None
    kind = given.get("disposition") if isinstance(given, Mapping) else given
    if strategy not in (None, "delete-insert", "upsert", "insert-only"):
        findings.not_carried(
            written.name, "write_disposition", f"`{strategy}`: rows have no history; see `_deleted_at`"
        )
    if kind == "append":
        findings.mended(
            written.name, "write_disposition", "`append`: a row that is read again replaces itself, and none is removed"
        )
        return OnRemoval.IGNORE
    if kind == "replace":
        findings.mended(
            written.name, "write_disposition", "`replace`: rows that are gone upstream stay, with `_deleted_at` set"
        )
    return None
