"""Buildkite (ci_analytics): bare arrays, pages by number with a Link header, and lists of builds that end in a 400."""

import re
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors.exchange import Refusal, Reply, Routes, Vendor, VendorRequest, flat
from platform_assets.sandbox.vendors.limits import FixedWindow
from platform_assets.sandbox.vendors.options import BuildkiteOptions
from platform_assets.sandbox.vendors.times import any_moment, iso_moment

# Buildkite: builds that `finished` stands for; not skipped or not_run.
FINISHED = ("passed", "failed", "blocked", "canceled")
EXPIRES_AT = "2028-07-16 06:07:42 UTC"
_TOO_DEEP = (
    "Listing builds this deep is not supported. Please narrow your query using filters such as branch or created_from."
)


def _number(text: str) -> int:
    """A number that looks random but is always the same for a text."""
    return zlib.crc32(text.encode())


def access_token(record: Record) -> Record:
    """The token; it always expires, and the time is a text that ends in UTC."""
    return {**record, "expires_at": record["expires_at"] or EXPIRES_AT}


def pipeline(record: Record) -> Record:
    """A pipeline with keys that Buildkite's own example lacks; `env` may be null."""
    number = _number(record["id"])
    found = {
        **record,
        "env": None if not record["env"] and number % 4 == 0 else record["env"],
        "description": None if number % 3 else f"Builds {record['name']}",
        "cluster_id": None,
        "allow_rebuilds": True,
        "tags": None,
        "configuration": "steps:\n  - command: make test\n",
    }
    if number % 2:
        found["clone_mirror_url"] = None
    return found


def build(record: Record) -> Record:
    """A build with the keys of recorded answers; `pull_request` may be null."""
    without = not record["pull_request"] and _number(record["id"]) % 3 == 0
    return {
        **record,
        "pull_request": None if without else record["pull_request"],
        "author": None,
        "tag": None,
        "blocked_state": None,
    }


def rows(backend: FakeBackend) -> dict[str, list[Record]]:
    """What a correct load has in each table."""
    tables = backend.tables["ci_analytics"]
    return {
        "organizations": list(tables["organizations"]),
        "analytics_organizations_suites": flat(tables["analytics_organizations_suites"]),
        "organizations_pipelines": [pipeline(one) for one in flat(tables["organizations_pipelines"])],
        "access_token": [access_token(one) for one in tables["access_token"]],
        "builds": [build(one) for one in tables["builds"]],
    }


class Buildkite(Vendor):
    """Serves `/v2`."""

    name: ClassVar[str] = "buildkite"
    platform: ClassVar[str] = "ci_analytics"

    def __init__(self, backend: FakeBackend, options: Callable[[], BuildkiteOptions]) -> None:
        super().__init__(backend)
        self._options = options
        self._organization, self._user = FixedWindow(), FixedWindow()
        self._routes = Routes(
            {
                "/v2/organizations": self._organizations,
                "/v2/analytics/organizations/*/suites": self._suites,
                "/v2/organizations/*/pipelines": self._pipelines,
                "/v2/access-token": self._access_token,
                "/v2/builds": self._builds,
                "/v2/organizations/*/builds": self._builds,
                "/v2/organizations/*/pipelines/*/builds": self._builds,
                "/v2/organizations/*/rate_limit": self._rate_limit,
            }
        )

    def error(self, status: int, message: str) -> Any:
        return {"message": message}

    def answer(self, request: VendorRequest) -> Reply:
        self._authenticate(request)
        headers = self._count()
        try:
            found = self._routes.find(request.path)
            if found is None or request.method != "GET":
                raise self.refuse(404, "No resource found")
            handler, values = found
            reply = handler(request, values)
        except Refusal as refusal:
            refusal.reply.headers.update(headers)
            raise
        reply.headers.update(headers)
        return reply

    def _authenticate(self, request: VendorRequest) -> None:
        expiries = [any_moment(access_token(one)["expires_at"]) for one in self.tables["access_token"]]
        is_valid = any(expiry > self.backend.now for expiry in expiries)
        if request.headers.get("Authorization") != f"Bearer {sandbox_token(self.platform)}" or not is_valid:
            # Buildkite's text goes on with a link that Part B does not give.
            raise self.refuse(401, "Authentication required. Please supply a valid API Access Token: sandbox")

    def _count(self) -> dict[str, str]:
        """Count the request; the headers that say how many are left."""
        options = self._options()
        scopes = {
            "": self._organization.take(options.organization_limit, options.window_seconds),
            "-User": self._user.take(options.user_limit, options.window_seconds),
        }
        headers: dict[str, str] = {}
        for suffix, standing in scopes.items():
            scope = "rest_user" if suffix else "rest"
            headers |= {
                f"RateLimit{suffix}-Scope": scope,
                f"RateLimit{suffix}-Remaining": str(standing.remaining),
                f"RateLimit{suffix}-Limit": str(standing.limit),
                f"RateLimit{suffix}-Reset": str(standing.reset),
            }
            if not standing.remaining:
                headers[f"RateLimit{suffix}-Warning"] = "You have exhausted your API rate limit."
        for suffix, standing in scopes.items():
            if standing.exceeded:
                body = {
                    "message": "You have exceeded your API rate limit. "
                    f"Please wait {standing.reset} seconds before making more requests.",
                    "scope": "rest_user" if suffix else "rest",
                    "limit": standing.limit,
                    "current": standing.current,
                    "reset": standing.reset,
                }
                raise Refusal(Reply(body, 429, headers))
        return headers

    def _need(self, scope: str) -> None:
        if scope not in self.tables["access_token"][0]["scopes"]:
            raise self.refuse(403, f"Your access token does not have the required scope: {scope}")

    def _children(self, resource: str, slug: str) -> list[Record]:
        found = self.backend.children(self.platform, resource, slug)
        if found is None:
            raise self.refuse(404, "No organization found")
        return found

    def _page(self, request: VendorRequest, records: list[Record], depth: int | None = None) -> Reply:
        """A page and its Link header. `depth`: how many records the list reaches down to."""
        page = self.number(request, "page", 1, lowest=1)
        size = self.number(request, "per_page", 30, lowest=1, highest=100)
        if depth is not None and (page - 1) * size >= depth:
            raise self.refuse(400, _TOO_DEEP)
        last = max(1, -(-len(records) // size))
        pages = {"first": 1, "prev": page - 1} if page > 1 else {}
        pages |= {"next": page + 1, "last": last} if page < last else {}
        headers: dict[str, str] = {}
        if pages:
            links = [f'<{self._url(request, number)}>; rel="{name}"' for name, number in pages.items()]
            headers["Link"] = ", ".join(links)
        return Reply(records[(page - 1) * size : page * size], headers=headers)

    def _url(self, request: VendorRequest, page: int) -> str:
        """Buildkite: absolute, with the whole query of the request."""
        query = [(name, value) for name, value in request.query if name != "page"]
        if self._options().link_shows_key:
            query.insert(0, ("api_key", sandbox_token(self.platform)))
        return f"{request.base}{request.path}?{urlencode([*query, ('page', str(page))])}"

    def _organizations(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        self._need("read_organizations")
        return self._page(request, self.tables["organizations"])

    def _suites(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        self._need("read_suites")
        suites = self._children("analytics_organizations_suites", values[0])
        if request.value("show_api_token") == "true":
            suites = [{**one, "api_token": f"sandbox-suite-secret-{one['slug']}"} for one in suites]
        return self._page(request, suites)

    def _pipelines(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        self._need("read_pipelines")
        name, repository = request.value("name"), request.value("repository")
        found = [
            pipeline(one)
            for one in self._children("organizations_pipelines", values[0])
            if (name is None or name.lower() in one["name"].lower())
            and (repository is None or repository in one["repository"])
        ]
        return self._page(request, found)

    def _access_token(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """A bare object; page parameters are ignored."""
        return Reply(access_token(self.tables["access_token"][0]))

    def _rate_limit(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        self._children("organizations_pipelines", values[0])
        options = self._options()
        standing = self._organization.standing(options.organization_limit, options.window_seconds)
        usage = {"limit": standing.limit, "current": standing.current, "reset": standing.reset}
        return Reply({"scopes": {"rest": usage}})

    def _builds(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        self._need("read_builds")
        owners: set[str] | None = None
        if values:
            owners = {
                one["id"]
                for one in self._children("organizations_pipelines", values[0])
                if len(values) == 1 or one["slug"] == values[1]
            }
            if len(values) > 1 and not owners:
                raise self.refuse(404, "No pipeline found")
        lowest, highest = self._moment(request, "created_from"), self._moment(request, "created_to")
        finished = self._moment(request, "finished_from")
        states = {
            state
            for given in request.values("state", "state[]")
            for state in (FINISHED if given == "finished" else (given,))
        }
        branches, commits = request.values("branch", "branch[]"), request.values("commit", "commit[]")
        creator = request.value("creator")
        meta_data = {name[10:-1]: value for name, value in request.query if re.fullmatch(r"meta_data\[.+\]", name)}
        found = [
            one
            for one in self.tables["builds"]
            if (owners is None or one["pipeline"]["id"] in owners)
            and (lowest is None or any_moment(one["created_at"]) >= lowest)
            and (highest is None or any_moment(one["created_at"]) < highest)
            and (finished is None or (one["finished_at"] is not None and any_moment(one["finished_at"]) >= finished))
            and (not states or one["state"] in states)
            and (not branches or one["branch"] in branches)
            and (not commits or one["commit"] in commits)
            and (creator is None or (one["creator"] or {}).get("id") == creator)
            and all(one["meta_data"].get(key) == value for key, value in meta_data.items())
        ]
        hidden = [name for name in ("jobs", "pipeline") if request.value(f"exclude_{name}") == "true"]
        found = sorted(found, key=lambda one: one["created_at"], reverse=True)
        reply = self._page(request, found, self._options().builds_depth)
        reply.body = [{name: value for name, value in build(one).items() if name not in hidden} for one in reply.body]
        return reply

    def _moment(self, request: VendorRequest, name: str) -> datetime | None:
        text = request.value(name)
        if text is None:
            return None
        moment = iso_moment(text)
        if moment is None:
            raise self.refuse(400, f"{name} must be an ISO 8601 time")
        return moment
