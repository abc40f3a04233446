"""Sentry (error_tracking): bare arrays, opaque cursors in the Link header, defaults that hide rows, and brownouts."""

import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.data.error_tracking import PROJECTS as ORGANIZATIONS
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors.exchange import Refusal, Reply, Routes, Vendor, VendorRequest
from platform_assets.sandbox.vendors.limits import FixedWindow
from platform_assets.sandbox.vendors.options import SentryOptions
from platform_assets.sandbox.vendors.sentry_pages import Form, Pages
from platform_assets.sandbox.vendors.times import any_moment, iso_moment

# Sentry: the organization's list of projects lacks these.
NOT_IN_PROJECTS = ("organization", "color", "status", "avatar", "isPublic", "isInternal")
_RANGE = "Invalid date range parameters provided"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DEPRECATED_SINCE = "2026-05-15T00:00:00+00:00"
_GONE = Reply({"message": "This API no longer exists."}, 410)


def project(record: Record) -> Record:
    """A project as the organization's list has it."""
    return {name: value for name, value in record.items() if name not in NOT_IN_PROJECTS}


def project_detail(record: Record) -> Record:
    """A project alone; `securityToken` and `sentry:token` are in it, as Sentry sends them."""
    return {**record, "isInternal": False}


def rows(backend: FakeBackend, organizations: Collection[str] | None = None) -> dict[str, list[Record]]:
    """What a correct load has in each table, of all organizations or of those named by slug."""
    tables = backend.tables["error_tracking"]

    def chosen(slug: str) -> bool:
        return organizations is None or slug in organizations

    def of_projects(resource: str) -> list[Record]:
        return [one for (slug, _), group in tables[resource].items() if chosen(slug) for one in group]

    return {
        "projects": [project(one) for one in tables["projects"] if chosen(one["organization"]["slug"])],
        "events": of_projects("events"),
        "issues": of_projects("issues"),
        "releases": [one for slug, group in tables["releases"].items() if chosen(slug) for one in group],
        "project_detail": [project_detail(one) for one in of_projects("project_detail")],
    }


class Sentry(Vendor):
    """Serves `/api/0`."""

    name: ClassVar[str] = "sentry"
    platform: ClassVar[str] = "error_tracking"

    def __init__(self, backend: FakeBackend, options: Callable[[], SentryOptions]) -> None:
        super().__init__(backend)
        self._options = options
        self._windows: dict[Any, FixedWindow] = {}
        self._routes = Routes(
            {
                "/api/0/projects/": self._all_projects,
                "/api/0/organizations/*/projects/": self._projects,
                "/api/0/organizations/*/issues/": self._issues,
                "/api/0/organizations/*/releases/": self._releases,
                "/api/0/projects/*/*/": self._project_detail,
                "/api/0/projects/*/*/events/": self._events,
                "/api/0/projects/*/*/issues/": self._project_issues,
            }
        )

    def error(self, status: int, message: str) -> Any:
        return {"detail": message}

    def answer(self, request: VendorRequest) -> Reply:
        if request.headers.get("Authorization") != f"Bearer {sandbox_token(self.platform)}":
            raise self.refuse(401, "Invalid token")
        if not request.path.endswith("/"):
            query = f"?{urlencode(request.query)}" if request.query else ""
            return Reply(b"", 301, {"Location": f"{request.base}{request.path}/{query}"}, "text/html")
        found = self._routes.find(request.path)
        if found is None:
            raise self.refuse(404, "The requested resource does not exist")
        if request.method != "GET":
            raise self.refuse(405, f'Method "{request.method}" not allowed.')
        handler, values = found
        headers = self._count(handler, request)
        try:
            reply = handler(request, values)
        except Refusal as refusal:
            refusal.reply.headers.update(headers)
            raise
        reply.headers.update(headers)
        return reply

    def _count(self, endpoint: Any, request: VendorRequest) -> dict[str, str]:
        """Count the request to its endpoint; the headers that say how many are left. Sentry: Reset is epoch seconds."""
        options = self._options()
        standing = self._windows.setdefault(endpoint, FixedWindow()).take(options.request_limit, options.window_seconds)
        reset = int(datetime.now().timestamp()) + standing.reset
        headers = {
            "X-Sentry-Rate-Limit-Limit": str(standing.limit),
            "X-Sentry-Rate-Limit-Remaining": str(standing.remaining),
            "X-Sentry-Rate-Limit-Reset": str(reset),
            "X-Sentry-Rate-Limit-ConcurrentLimit": str(options.concurrent_limit),
            "X-Sentry-Rate-Limit-ConcurrentRemaining": str(max(0, options.concurrent_limit - request.active)),
        }
        if standing.exceeded or request.active > options.concurrent_limit:
            if not options.plain_throttle:
                message = f"Request was throttled. Expected available in {standing.reset} seconds."
                raise Refusal(Reply(self.error(429, message), 429, headers))
            message = (
                "You are attempting to use this endpoint too frequently. "
                f"Limit is {standing.limit} requests in {options.window_seconds} seconds"
            )
            raise Refusal(Reply(orjson.dumps(message), 429, headers, "text/html; charset=utf-8"))
        return headers

    # Lists

    def _list(self, request: VendorRequest, records: list[Record], size: int, form: Form, **more: Any) -> Reply:
        pages = Pages(records, hidden=self._options().hidden_rows, form=form, **more)
        page = pages.page(request.value("cursor"), size)
        if page is None:
            raise self.refuse(400, "Invalid cursor parameter.")
        query = urlencode([(name, value) for name, value in request.query if name != "cursor"])
        link = page.link(f"{self._options().link_host}{request.path}", query)
        return Reply(page.rows, headers={"Link": link})

    def _per_page(self, request: VendorRequest) -> int:
        """Sentry: above 100 is an error."""
        size = self.number(request, "per_page", 100, lowest=1)
        if size > 100:
            raise self.refuse(400, "Invalid per_page value. Must be between 1 and 100.")
        return size

    def _range(self, request: VendorRequest) -> tuple[datetime | None, datetime | None]:
        """The range of time asked for. Sentry: `start` and `end` go together, and `statsPeriod` overrides them."""
        period = request.value("statsPeriod")
        if period:
            match = re.fullmatch(r"(\d{1,6})([smhdw])", period)
            if match is None:
                raise self.refuse(400, f"Invalid statsPeriod: {period!r}")
            return self.backend.now - timedelta(**{_UNITS[match[2]]: int(match[1])}), None
        start, end = request.value("start"), request.value("end")
        if not start and not end:
            return None, None
        if not start or not end:
            raise self.refuse(400, "start and end are both required")
        lowest, highest = iso_moment(start), iso_moment(end)
        if lowest is None or highest is None or lowest > highest:
            raise self.refuse(400, _RANGE)
        return lowest, highest

    def _in_range(self, request: VendorRequest, records: list[Record], field: str) -> list[Record]:
        """Rows in the range of time, newest first."""
        lowest, highest = self._range(request)
        found = [
            one
            for one in records
            if (lowest is None or any_moment(one[field]) >= lowest)
            and (highest is None or any_moment(one[field]) < highest)
        ]
        return sorted(found, key=lambda one: (any_moment(one[field]), one["id"]), reverse=True)

    def _of_organization(self, slug: str) -> list[Record]:
        """An organization's projects by slug."""
        if slug not in self.tables["releases"] and slug not in ORGANIZATIONS:
            raise self.refuse(404, "The requested resource does not exist")
        found = [one for one in self.tables["projects"] if one["organization"]["slug"] == slug]
        return sorted(found, key=lambda one: one["slug"])

    def _of_project(self, resource: str, values: tuple[str, ...]) -> list[Record]:
        """A project's rows; the project is named by slug or, as Sentry allows, by id."""
        organization, project_name = values
        for one in self._of_organization(organization):
            if project_name in (one["slug"], one["id"]):
                return self.tables[resource].get((organization, one["slug"]), [])
        raise self.refuse(404, "The requested resource does not exist")

    def _projects(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        projects = [project(one) for one in self._of_organization(values[0])]
        text = request.value("query")
        if text:
            projects = [one for one in projects if text.lower() in one["slug"].lower()]
        if request.value("all_projects") == "1" and self._options().knows_all_projects:
            return Reply(projects)
        return self._list(request, projects, self._per_page(request), "page")

    def _all_projects(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Deprecated: the projects of all organizations, in the old shape."""
        headers = self._deprecated("/api/0/organizations/{organization_id_or_slug}/projects/")
        projects = sorted(self.tables["projects"], key=lambda one: one["slug"])
        found = [{**one, "color": "#803fbf", "status": "active", "isPublic": False} for one in projects]
        reply = self._list(request, found, self._per_page(request), "page")
        reply.headers.update(headers)
        return reply

    def _deprecated(self, replacement: str) -> dict[str, str]:
        """Headers of a deprecated endpoint; 410 in a brownout. Sentry: by default for a minute at noon UTC."""
        headers = {"X-Sentry-Deprecation-Date": _DEPRECATED_SINCE, "X-Sentry-Replacement-Endpoint": replacement}
        now = self.backend.now
        if self._options().brownout or (now.hour, now.minute) == (12, 0):
            raise Refusal(Reply(_GONE.body, 410, headers))
        return headers

    def _project_detail(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        return Reply(project_detail(self._of_project("project_detail", values)[0]))

    def _events(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        found = self._in_range(request, self._of_project("events", values), "dateCreated")
        if request.value("full") in ("true", "1"):
            entries = [{"type": "exception", "data": {"values": [{"stacktrace": {"frames": []}}]}}]
            found = [{**one, "entries": entries} for one in found]
        return self._list(request, found, self._per_page(request), "time", time="dateCreated")

    def _releases(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Sentry: without `status` archived releases are hidden; an empty `status` shows all."""
        self._of_organization(values[0])
        status, text = request.value("status"), request.value("query") or ""
        status = "open" if status is None else status
        if status not in ("", "open", "archived"):
            raise self.refuse(400, f"Invalid status: {status}")
        wanted = set(request.values("project"))
        found = [
            one
            for one in self._in_range(request, self.tables["releases"].get(values[0], []), "dateCreated")
            if status in ("", one["status"])
            and text in one["version"]
            and (not wanted or wanted & {str(part["id"]) for part in one["projects"]} or "-1" in wanted)
        ]
        return self._list(request, found, self._per_page(request), "offset")

    # Issues

    def _issues(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """The organization's issues, of the projects asked for (ids, slugs, -1 for all)."""
        projects = self._of_organization(values[0])
        wanted = set(request.values("project"))
        known = {name for one in projects for name in (one["id"], one["slug"])}
        if wanted - known - {"-1"}:
            raise self.refuse(403, "You do not have permission to perform this action.")
        found = [
            issue
            for one in projects
            if not wanted or "-1" in wanted or wanted & {one["id"], one["slug"]}
            for issue in self.tables["issues"].get((values[0], one["slug"]), [])
        ]
        return self._matching(request, self._in_range(request, found, "lastSeen"))

    def _project_issues(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Deprecated: one project's issues, which takes no range of time."""
        headers = self._deprecated("/api/0/organizations/{organization_id_or_slug}/issues/")
        if request.value("statsPeriod") not in (None, "", "24h", "14d"):
            raise self.refuse(400, "Invalid stats_period. Valid choices are '', '24h', and '14d'")
        found = sorted(
            self._of_project("issues", values), key=lambda one: (any_moment(one["lastSeen"]), one["id"]), reverse=True
        )
        reply = self._matching(request, found)
        reply.headers.update(headers)
        return reply

    def _matching(self, request: VendorRequest, issues: list[Record]) -> Reply:
        """Issues that match `query`. Sentry: without it `is:unresolved`; an empty one matches all."""
        query = request.value("query")
        keep = self._condition("is:unresolved" if query is None else query)
        size = self.number(request, "limit", 100, lowest=1, highest=100)
        return self._list(request, issues, size, "time", time="lastSeen", keep=keep)

    def _condition(self, query: str) -> Callable[[Record], bool]:
        """What a query means; `is:<status>`, `lastSeen:>...` and words of the title are understood."""
        statuses: set[str] = set()
        bounds: list[Callable[[datetime], bool]] = []
        words: list[str] = []
        for term in query.split():
            match = re.fullmatch(r"lastSeen:(>=|<=|>|<)(.+)", term)
            if term.startswith("is:"):
                statuses.add(term.removeprefix("is:"))
            elif match:
                moment = iso_moment(match[2])
                if moment is None:
                    raise self.refuse(400, f"Error parsing search query: invalid date: {match[2]}")
                bounds.append(_comparison(match[1], moment))
            elif ":" in term:
                raise self.refuse(400, f"Error parsing search query: unknown term: {term}")
            else:
                words.append(term.lower())

        def keep(issue: Record) -> bool:
            seen = any_moment(issue["lastSeen"])
            return (
                (not statuses or issue["status"] in statuses)
                and all(bound(seen) for bound in bounds)
                and all(word in issue["title"].lower() for word in words)
            )

        return keep


def _comparison(sign: str, moment: datetime) -> Callable[[datetime], bool]:
    return {
        ">": lambda seen: seen > moment,
        ">=": lambda seen: seen >= moment,
        "<": lambda seen: seen < moment,
        "<=": lambda seen: seen <= moment,
    }[sign]
