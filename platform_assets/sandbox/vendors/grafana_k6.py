"""Grafana Cloud k6 v6 (load_testing): one stack, lists under `value` with `@nextLink`, times without a zone.

There are no organizations: the stack replaces them. All projects of the backend are in the one stack.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors.exchange import Reply, Routes, Vendor, VendorRequest, flat
from platform_assets.sandbox.vendors.options import GrafanaK6Options

_CODES = {400: "validation_error", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
# k6: the field was to be removed on that day.
BASELINE_REMOVED = datetime(2026, 9, 1, tzinfo=UTC)


def project(record: Record) -> Record:
    """A project: without description and organization, with a folder and labels."""
    kept = {name: record[name] for name in ("id", "name", "is_default")}
    folder = f"de0{record['id']:011d}"
    times = {name: record[name] for name in ("created", "updated")}
    return {**kept, "grafana_folder_uid": folder, **times, "labels": {}}


def load_test_row(record: Record, now: datetime) -> Record:
    """A test as its list has it, in the reference's format of times; script and runs have paths of their own."""
    kept = {name: record[name] for name in ("id", "project_id", "name")}
    baseline = {"baseline_test_run_id": None} if now < BASELINE_REMOVED else {}
    return {**kept, **baseline, "k6_version": None, **{name: record[name] for name in ("created", "updated")}}


def load_test(record: Record, now: datetime) -> Record:
    """A test as it is served: most times are UTC without saying so."""
    found = load_test_row(record, now)
    if record["id"] % 5:
        found |= {name: found[name].removesuffix("Z") for name in ("created", "updated")}
    return found


def runs_of(record: Record) -> list[Record]:
    """The runs of a test, oldest first; the fields are some of those that the vendor's client has."""
    first = datetime.fromisoformat(record["created"])
    return [
        {
            "id": run,
            "test_id": record["id"],
            "project_id": record["project_id"],
            "created": (first + timedelta(hours=number)).isoformat().replace("+00:00", "Z"),
            "status": "completed",
            "result": "passed",
        }
        for number, run in enumerate(record["test_run_ids"])
    ]


def details(record: Record) -> Record:
    """What a load with a request for each test's script and another for its runs has besides."""
    return {name: record[name] for name in ("script", "test_run_ids", "last_test_run_id")}


def rows(backend: FakeBackend, *, with_details: bool = False) -> dict[str, list[Record]]:
    """What a correct load has in each table."""
    tables = backend.tables["load_testing"]
    return {
        "projects": [project(one) for one in flat(tables["projects"])],
        "tests": [load_test_row(one, backend.now) | (details(one) if with_details else {}) for one in tables["tests"]],
    }


class GrafanaK6(Vendor):
    """Serves `/cloud/v6`."""

    name: ClassVar[str] = "grafana_k6"
    platform: ClassVar[str] = "load_testing"

    def __init__(self, backend: FakeBackend, options: Callable[[], GrafanaK6Options]) -> None:
        super().__init__(backend)
        self._options = options
        self._routes = Routes(
            {
                "/cloud/v6/projects": self._projects,
                "/cloud/v6/projects/*/load_tests": self._load_tests,
                "/cloud/v6/load_tests": self._load_tests,
                "/cloud/v6/load_tests/*/script": self._script,
                "/cloud/v6/load_tests/*/test_runs": self._test_runs,
            }
        )

    def error(self, status: int, message: str, target: str | None = None) -> Any:
        return {"error": {"message": message, "code": _CODES.get(status, "error"), "target": target, "details": []}}

    def answer(self, request: VendorRequest) -> Reply:
        # k6: v6 takes `Bearer` only.
        if request.headers.get("Authorization") != f"Bearer {sandbox_token(self.platform)}":
            raise self.refuse(401, "Authentication credentials are missing or wrong")
        if request.path == "/cloud/v6/auth":
            return self._auth(request)
        stack = request.headers.get("X-Stack-Id")
        if stack is None or not stack.isdecimal():
            raise self.refuse(400, "X-Stack-Id is required and must be an integer")
        if int(stack) != self._options().stack_id:
            raise self.refuse(403, "The token is not good for this stack")
        found = self._routes.find(request.path)
        if found is None:
            raise self.refuse(404, "Not found")
        if request.method != "GET":
            raise self.refuse(405, "Method not allowed")
        handler, values = found
        return handler(request, values)

    def _auth(self, request: VendorRequest) -> Reply:
        options, url = self._options(), request.headers.get("X-Stack-Url")
        if url is None:
            raise self.refuse(400, "X-Stack-Url is required")
        if url.rstrip("/") != options.stack_url.rstrip("/"):
            raise self.refuse(403, "The token is not good for this stack")
        projects = sorted(flat(self.tables["projects"]), key=lambda one: (not one["is_default"], one["id"]))
        default = projects[0]["id"] if projects else None
        return Reply({"stack_id": options.stack_id, "default_project_id": default})

    def _page(self, request: VendorRequest, records: list[Record]) -> Reply:
        highest = self._options().page_size
        top, skip = self.number(request, "$top", highest, lowest=1), self.number(request, "$skip", 0)
        if top > highest:
            raise self.refuse(400, f"$top must be at most {highest}")
        body: dict[str, Any] = {"value": records[skip : skip + top]}
        if request.value("$count") == "true":
            body["@count"] = len(records)
        if skip + top < len(records):
            others = [(name, value) for name, value in request.query if name not in ("$skip", "$top")]
            # k6: absolute, with bare dollar signs.
            query = urlencode([("$skip", str(skip + top)), ("$top", str(top)), *others], safe="$")
            body["@nextLink"] = f"{request.base}{request.path}?{query}"
        return Reply(body)

    def _filtered(self, request: VendorRequest, records: list[Record], orders: tuple[str, ...]) -> list[Record]:
        name, search = request.value("name"), request.value("name_search")
        order = request.value("$orderby") or "id"
        field, _, direction = order.partition(" ")
        if field not in ("id", *orders) or direction not in ("", "asc", "desc"):
            raise self.refuse(400, f"$orderby cannot be {order}")
        found = [
            one
            for one in records
            if (name is None or one["name"] == name) and (search is None or search.lower() in one["name"].lower())
        ]
        return sorted(found, key=lambda one: one[field], reverse=direction == "desc")

    def _projects(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        projects = [project(one) for one in flat(self.tables["projects"])]
        return self._page(request, self._filtered(request, projects, ("created", "name")))

    def _load_tests(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        if values and values[0] not in {str(one["id"]) for one in flat(self.tables["projects"])}:
            raise self.refuse(404, "Not found")
        orders = ("project_id", "name", "created", "updated")
        found = [one for one in self.tables["tests"] if not values or str(one["project_id"]) == values[0]]
        reply = self._page(request, self._filtered(request, found, orders))
        reply.body["value"] = [load_test(one, self.backend.now) for one in reply.body["value"]]
        return reply

    def _test(self, identity: str) -> Record:
        for one in self.tables["tests"]:
            if str(one["id"]) == identity:
                if one["id"] in self._options().refused:
                    raise self.refuse(self._options().refused[one["id"]], "Not found")
                return one
        raise self.refuse(404, "Not found")

    def _script(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        script, kind = self._test(values[0])["script"], self._options().script_type
        return Reply(script if kind == "application/json" else script.encode(), media_type=kind)

    def _test_runs(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        # k6: by `created` only; what the order is without `$orderby` is not said.
        order = request.value("$orderby")
        if order not in (None, "created", "created asc", "created desc"):
            raise self.refuse(400, f"$orderby cannot be {order}")
        runs = runs_of(self._test(values[0]))
        return self._page(request, runs if order in ("created", "created asc") else runs[::-1])
