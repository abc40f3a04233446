"""The reference contract of the five platforms: routes, pagination and filters over the backend's records.

A route is a pattern of path segments and a function from a request to a JSON body. Path values arrive decoded, one per
segment, so that `%2F` inside a value is not a separator.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.data.crm import FOLDERS
from platform_assets.sandbox.data.crm_recents import RECENT_KINDS

JSON = dict[str, Any]


class Refused(Exception):
    """A response other than 200, in the contract's error shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Request:
    """What a route works on: the backend, its path values and the query. It may add response headers."""

    backend: FakeBackend
    values: tuple[str, ...]
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int, *, lowest: int = 0, highest: int | None = None) -> int:
        """An integer query parameter, capped at the server's maximum (`highest`). Raises Refused if it is invalid."""
        text = self.query.get(name)
        if text is None:
            return default
        if not re.fullmatch(r"\d+", text) or int(text) < lowest:
            raise Refused(400, f"{name} must be a whole number from {lowest}")
        return int(text) if highest is None else min(int(text), highest)

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 datetime from the query, or None if absent. Raises Refused if it is invalid."""
        text = self.query.get(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise Refused(400, f"{name} must be an ISO 8601 datetime")
        return moment


Answer = Callable[[Request], JSON]
Rows = Callable[[Request], list[Record]]


def listed(platform: str, resource: str) -> Rows:
    """All records of a plain list."""
    return lambda request: request.backend.tables[platform][resource]


def of_parent(platform: str, resource: str) -> Rows:
    """A parent's records; 404 if the parent does not exist."""

    def rows(request: Request) -> list[Record]:
        (first, *others) = request.values
        key = request.values if others else first
        found = request.backend.children(platform, resource, key)
        if found is None:
            raise Refused(404, f"no such parent: {'/'.join(request.values)}")
        return found

    return rows


def numbered(rows: Rows, selector: str, size: str, default: int, highest: int | None = None) -> Answer:
    """Pagination by page number, from 1."""

    def answer(request: Request) -> JSON:
        limit = request.number(size, default, lowest=1, highest=highest)
        page = request.number("page", 1, lowest=1)
        return {selector: rows(request)[(page - 1) * limit : page * limit]}

    return answer


def skipping(rows: Rows, selector: str) -> Answer:
    """Pagination by the number of records to skip."""

    def answer(request: Request) -> JSON:
        start, limit = request.number("after", 0), request.number("limit", 20, lowest=1)
        return {selector: rows(request)[start : start + limit]}

    return answer


def whole(rows: Rows, selector: str = "data") -> Answer:
    """The whole list in one response."""
    return lambda request: {selector: rows(request)}


def one_object(rows: Rows) -> Answer:
    """A single object under `data`."""
    return lambda request: {"data": rows(request)[0]}


def linked(rows: Rows, size: int = 100) -> Answer:
    """Pagination by `cursor`; the Link header always has `previous` and `next`, each with results and cursor."""

    def answer(request: Request) -> JSON:
        given = re.fullmatch(r"0:(\d+):[01]", request.query.get("cursor", "0:0:0"))
        if given is None:
            raise Refused(400, "invalid cursor")
        start = int(given[1])
        found = rows(request)
        more = "true" if start + size < len(found) else "false"
        back = "true" if start else "false"
        earlier, later = f"0:{max(0, start - size)}:1", f"0:{start + size}:0"
        request.headers["Link"] = (
            f'<https://errors.example.com/?&cursor={earlier}>; rel="previous"; results="{back}"; cursor="{earlier}", '
            f'<https://errors.example.com/?&cursor={later}>; rel="next"; results="{more}"; cursor="{later}"'
        )
        return {"data": found[start : start + size]}

    return answer


def started(rows: Rows) -> Answer:
    """Pagination by `start` and `limit`, with the next position in the body; an empty page is null."""

    def answer(request: Request) -> JSON:
        start, limit = request.number("start", 0), request.number("limit", 100, lowest=1, highest=500)
        found = rows(request)
        page = found[start : start + limit]
        more = start + limit < len(found)
        pagination: JSON = {"start": start, "limit": limit, "more_items_in_collection": more}
        if more:
            pagination["next_start"] = start + limit
        return {"success": True, "data": page or None, "additional_data": {"pagination": pagination}}

    return answer


def succeeded(rows: Rows) -> Answer:
    """A CRM list in one response; an empty list is null."""
    return lambda request: {"success": True, "data": rows(request) or None}


def builds(request: Request) -> list[Record]:
    """Newest first; `created_from` is inclusive, `created_to` exclusive."""
    return within(request, request.backend.tables["ci_analytics"]["builds"], "created_at", "created_from", "created_to")


def in_project(resource: str, cursor: str) -> Rows:
    """A project's records, from `start` (inclusive) to `end` (exclusive) by `cursor`."""
    rows = of_parent("error_tracking", resource)
    return lambda request: within(request, rows(request), cursor, "start", "end")


def within(request: Request, records: list[Record], cursor: str, start: str, end: str) -> list[Record]:
    lowest, highest = request.moment(start), request.moment(end)
    return [
        record
        for record in records
        if (lowest is None or datetime.fromisoformat(record[cursor]) >= lowest)
        and (highest is None or datetime.fromisoformat(record[cursor]) < highest)
    ]


def recents(request: Request) -> list[Record]:
    """Envelopes of one kind, or of all mixed; `since_timestamp` is required."""
    since = request.query.get("since_timestamp", "")
    if not _is_plain_time(since):
        raise Refused(400, "since_timestamp is required as YYYY-MM-DD HH:MM:SS")
    kind = request.query.get("items")
    if kind is not None and kind not in RECENT_KINDS:
        raise Refused(400, f"unknown items: {kind}")
    tables = request.backend.tables["crm"]
    found: list[Record] = []
    for item, resource in RECENT_KINDS.items():
        if kind not in (None, item):
            continue
        cursor = "modified" if item == "user" else "update_time"
        found += [
            {"item": item, "id": record["id"], "data": [record] if item == "user" else record}
            for record in tables[resource]
            if record[cursor] >= since
        ]
    found += [
        {"item": invisible["item"], "id": invisible["id"], "data": None}
        for invisible in tables["invisible"]
        if kind in (None, invisible["item"]) and invisible["update_time"] >= since
    ]
    return found


def _is_plain_time(text: str) -> bool:
    """Whether a text is a valid `YYYY-MM-DD HH:MM:SS`."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S") == text
    except ValueError:
        return False


def threads(request: Request) -> list[Record]:
    """Mail threads of one folder, which is required."""
    folder = request.query.get("folder")
    if folder not in FOLDERS:
        raise Refused(400, f"folder is required, one of {', '.join(FOLDERS)}")
    return [record for record in request.backend.tables["crm"]["mail_threads"] if folder in record["folders"]]


def _crm(resource: str) -> Rows:
    return listed("crm", resource)


def _devices(resource: str) -> Rows:
    return listed("device_management", resource)


ROUTES: dict[str, dict[str, Answer]] = {
    "ci_analytics": {
        "/v2/organizations": numbered(listed("ci_analytics", "organizations"), "data", "per_page", 30, 100),
        "/v2/analytics/organizations/*/suites": numbered(
            of_parent("ci_analytics", "analytics_organizations_suites"), "data", "per_page", 30, 100
        ),
        "/v2/organizations/*/pipelines": numbered(
            of_parent("ci_analytics", "organizations_pipelines"), "data", "per_page", 30, 100
        ),
        "/v2/access-token": one_object(listed("ci_analytics", "access_token")),
        "/v2/builds": numbered(builds, "data", "per_page", 30, 100),
    },
    "load_testing": {
        "/v3/organizations": whole(listed("load_testing", "organizations"), "organizations"),
        "/v3/organizations/*/projects": numbered(of_parent("load_testing", "projects"), "projects", "page_size", 32),
        "/loadtests/v2/tests": numbered(
            lambda request: [
                record
                for record in request.backend.tables["load_testing"]["tests"]
                if request.query.get("project_id") in (None, str(record["project_id"]))
            ],
            "tests",
            "page_size",
            32,
        ),
    },
    "error_tracking": {
        "/v1/projects/": linked(listed("error_tracking", "projects"), 5),
        "/v1/projects/*/*/events/": linked(in_project("events", "dateCreated")),
        "/v1/projects/*/*/issues/": linked(in_project("issues", "lastSeen"), 50),
        "/v1/organizations/*/releases/": linked(of_parent("error_tracking", "releases")),
        "/v1/projects/*/*/": one_object(of_parent("error_tracking", "project_detail")),
    },
    "device_management": {
        "/v2/organizations": skipping(_devices("organizations"), "data"),
        "/v2/policies": whole(_devices("policies")),
        "/v2/activities": skipping(_devices("activities"), "activities"),
        "/v2/automation/scripts": whole(_devices("automation_scripts")),
        "/v2/groups": whole(_devices("groups")),
        "/v2/locations": skipping(_devices("locations"), "data"),
        "/v2/roles": whole(_devices("roles")),
        "/v2/software-products": whole(_devices("software_products")),
    },
    "crm": {
        "/v1/recents": started(recents),
        "/v1/dealFields": started(_crm("deal_fields")),
        "/v1/activityFields": started(_crm("activity_fields")),
        "/v1/organizationFields": started(_crm("organization_fields")),
        "/v1/personFields": started(_crm("person_fields")),
        "/v1/productFields": started(_crm("product_fields")),
        "/v1/leads": started(_crm("leads")),
        "/v1/organizations": started(_crm("organizations")),
        "/v1/roles": started(_crm("roles")),
        "/v1/mailbox/mailThreads": started(threads),
        "/v1/leadLabels": succeeded(_crm("lead_labels")),
        "/v1/activityTypes": succeeded(_crm("activity_types")),
        "/v1/currencies": succeeded(_crm("currencies")),
        "/v1/permissionSets": succeeded(_crm("permission_sets")),
        "/v1/goals/find": lambda request: {"success": True, "data": {"goals": _crm("goals")(request)}},
        "/v1/mailbox/mailThreads/*/mailMessages": started(of_parent("crm", "mail")),
        "/v1/deals/*/products": started(of_parent("crm", "deal_products")),
    },
}

PATTERNS: dict[str, list[tuple[re.Pattern[str], Answer]]] = {
    platform: [(re.compile(re.escape(path).replace(r"\*", "([^/]+)")), answer) for path, answer in routes.items()]
    for platform, routes in ROUTES.items()
}
