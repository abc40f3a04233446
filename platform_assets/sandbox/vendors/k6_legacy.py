"""The k6 API of before v6 (load_testing), deprecated: keyed lists, and without `project_id` one project's tests."""

from collections.abc import Callable
from typing import Any, ClassVar

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors.exchange import Reply, Routes, Vendor, VendorRequest, flat
from platform_assets.sandbox.vendors.options import K6LegacyOptions

# k6: 0 UNKNOWN, 1 GENERAL, 2 VALIDATION, 3 NOT_FOUND, 4 NOT_ALLOWED, 5 NOT_AUTHENTICATED, 7 METHOD_NOT_ALLOWED.
_CODES = {400: 2, 401: 5, 403: 4, 404: 3, 405: 7}
# k6: some documentation shows `token`, the Go clients send `Token`, others `Bearer`.
_SCHEMES = ("bearer", "token")


def organization(record: Record) -> Record:
    """An organization with the keys of real answers that the documentation lacks."""
    extra = {"logo": None, "is_grafana_org": True, "grafana_stack_id": 4711, "data_retention_days": 365, "vuh": 500}
    return {**record, **extra}


def rows(backend: FakeBackend) -> dict[str, list[Record]]:
    """What a correct load has in each table."""
    tables = backend.tables["load_testing"]
    return {
        "organizations": [organization(one) for one in tables["organizations"]],
        "projects": flat(tables["projects"]),
        "tests": list(tables["tests"]),
    }


class K6Legacy(Vendor):
    """Serves `/v3` and `/loadtests/v2`."""

    name: ClassVar[str] = "k6_legacy"
    platform: ClassVar[str] = "load_testing"

    def __init__(self, backend: FakeBackend, options: Callable[[], K6LegacyOptions]) -> None:
        super().__init__(backend)
        self._options = options
        self._routes = Routes(
            {
                "/v3/organizations": self._organizations,
                "/v3/organizations/*/projects": self._projects,
                "/loadtests/v2/tests": self._tests,
            }
        )

    def error(self, status: int, message: str) -> Any:
        code = _CODES.get(status, 1)
        return {"error": {"message": message, "code": code, "detail_code": 99, "field_errors": {}, "errors": [message]}}

    def answer(self, request: VendorRequest) -> Reply:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in _SCHEMES or token != sandbox_token(self.platform):
            raise self.refuse(401, "Authentication credentials were not provided or are wrong.")
        found = self._routes.find(request.path)
        if found is None:
            raise self.refuse(404, "Not found.")
        if request.method != "GET":
            raise self.refuse(405, "Method not allowed.")
        handler, values = found
        return handler(request, values)

    def _organizations(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        return Reply({"organizations": [organization(one) for one in self.tables["organizations"]]})

    def _projects(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """k6: page parameters are not documented here; the same whole list comes for every page."""
        found = self.backend.children(self.platform, "projects", values[0])
        if found is None:
            raise self.refuse(404, "Not found.")
        return Reply({"projects": found})

    def default_project(self) -> int | None:
        """The project whose tests come without `project_id`: the first that is a default."""
        projects = sorted(flat(self.tables["projects"]), key=lambda one: (not one["is_default"], one["id"]))
        return projects[0]["id"] if projects else None

    def _tests(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        options = self._options()
        page = self.number(request, "page", 1, lowest=1)
        size = self.number(request, "page_size", options.page_size, lowest=1, highest=options.highest_page_size)
        chosen = self.number(request, "project_id", self.default_project() or 0, lowest=1)
        if request.value("project_id") and chosen not in {one["id"] for one in flat(self.tables["projects"])}:
            raise self.refuse(404, "Not found.")
        ids, text = set(request.values("ids", "ids[]")), (request.value("q") or "").lower()
        found = [
            one
            for one in self.tables["tests"]
            if one["project_id"] == chosen and (not ids or str(one["id"]) in ids) and text in one["name"].lower()
        ]
        found = self._ordered(request, found)
        names = request.value("$select")
        shown = [_selected(one, names) for one in found[(page - 1) * size : page * size]]
        count = len(shown) if options.counts_page else len(found)
        return Reply({"k6-tests": shown, "k6-runs": [], "load_zones": [], "meta": {"count": count}})

    def _ordered(self, request: VendorRequest, records: list[Record]) -> list[Record]:
        order = request.value("order_by") or "id"
        keys: dict[str, Callable[[Record], Any]] = {
            "id": lambda one: one["id"],
            "name": lambda one: one["name"],
            "last_run_time": lambda one: one["updated"],
        }
        if order.removeprefix("-") not in keys:
            raise self.refuse(400, f"order_by cannot be {order}")
        return sorted(records, key=keys[order.removeprefix("-")], reverse=order.startswith("-"))


def _selected(record: Record, names: str | None) -> Record:
    """The fields that `$select` names; all without it."""
    return record if names is None else {name: record[name] for name in names.split(",") if name in record}
