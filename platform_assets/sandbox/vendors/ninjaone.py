"""NinjaOne (device_management): tokens that live an hour, bare arrays, epoch seconds, five ways of paging."""

import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.tokens import ninjaone_client_id, ninjaone_client_secret
from platform_assets.sandbox.vendors.exchange import Refusal, Reply, Routes, Vendor, VendorRequest
from platform_assets.sandbox.vendors.options import NinjaOneOptions
from platform_assets.sandbox.vendors.times import any_moment, iso_moment

TIMES = ("activityTime", "updated", "created", "lastEvaluated", "createdOn", "updatedOn")
CLASSES = ("SYSTEM", "DEVICE", "USER", "ALL")
_THROTTLED = b"<!DOCTYPE html><html><head><title>Too many requests</title></head><body>Please slow down.</body></html>"


def moment_of(record: Record, name: str) -> datetime:
    """A time with the fraction of a second that NinjaOne has and the backend lacks; the same for a record each time."""
    quarters = zlib.crc32(f"{record['id']}{name}".encode()) % 4
    return any_moment(record[name]) + timedelta(milliseconds=250 * quarters)


def _with_extras(resource: str, record: Record) -> Record:
    if resource == "automation_scripts":
        return {**record, "createdBy": 1 + record["id"] % 5, "lastUpdatedBy": 1 + record["id"] % 7}
    if resource == "roles":
        return {**record, "nodeRoleParentId": None, "icon": "server"}
    return record


def _with_times(record: Record, write: Callable[[datetime], Any]) -> Record:
    times = {name: write(moment_of(record, name)) for name in TIMES if record.get(name) is not None}
    return {**record, **times}


def served(resource: str, record: Record) -> Record:
    """A record as NinjaOne sends it: times are epoch seconds as floats."""
    return _with_times(_with_extras(resource, record), datetime.timestamp)


def _iso(moment: datetime) -> str:
    digits = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=digits).replace("+00:00", "Z")


def rows(backend: FakeBackend) -> dict[str, list[Record]]:
    """What a correct load has in each table; times are ISO 8601, with milliseconds where there are any."""
    tables = backend.tables["device_management"]
    return {
        resource: [_with_times(_with_extras(resource, one), _iso) for one in records]
        for resource, records in tables.items()
    }


class NinjaOne(Vendor):
    """Serves `/v2` and `/ws/oauth/token`."""

    name: ClassVar[str] = "ninjaone"
    platform: ClassVar[str] = "device_management"

    def __init__(self, backend: FakeBackend, options: Callable[[], NinjaOneOptions]) -> None:
        super().__init__(backend)
        self._options = options
        self._requests = 0
        # Access token -> when it expires, and how often it was used.
        self._expiry: dict[str, datetime] = {}
        self._uses: dict[str, int] = {}
        self._routes = Routes(
            {
                "/v2/organizations": self._after("organizations"),
                "/v2/locations": self._after("locations"),
                "/v2/activities": self._activities,
                "/v2/policies": self._whole("policies"),
                "/v2/automation/scripts": self._whole("automation_scripts"),
                "/v2/groups": self._whole("groups"),
                "/v2/roles": self._whole("roles"),
                "/v2/software-products": self._whole("software_products"),
            }
        )

    def error(self, status: int, message: str) -> Any:
        """The second of NinjaOne's three shapes."""
        return {"resultCode": "FAILURE", "errorMessage": message, "incidentId": f"sandbox-{self._requests}"}

    def _not_authenticated(self, status: int, error: str, description: str, code: int) -> Refusal:
        """An error in the first shape."""
        body: dict[str, Any] = {"error": error, "error_code": code}
        return Refusal(Reply({**body, "error_description": description} if description else body, status))

    def answer(self, request: VendorRequest) -> Reply:
        self._requests += 1
        headers = {"x-nj-request-id": f"sandbox-{self._requests}"}
        try:
            reply = self._answer(request)
        except Refusal as refusal:
            refusal.reply.headers.update(headers)
            raise
        reply.headers.update(headers)
        return reply

    def _answer(self, request: VendorRequest) -> Reply:
        if request.path == "/ws/oauth/token":
            return self._token(request)
        options = self._options()
        if options.html_pages > 0:
            # NinjaOne (second hand): throttling may arrive as an HTML page that is no 429.
            options.html_pages -= 1
            return Reply(_THROTTLED, 200, media_type="text/html")
        self._authenticate(request)
        found = self._routes.find(request.path)
        if found is None:
            raise Refusal(Reply({"errorCode": 404, "message": "HTTP 404 Not Found"}, 404))
        if request.method != "GET":
            raise Refusal(Reply({"errorCode": 405, "message": "HTTP 405 Method Not Allowed"}, 405))
        handler, values = found
        return handler(request, values)

    # Access tokens

    def _token(self, request: VendorRequest) -> Reply:
        if request.method != "POST":
            raise Refusal(Reply({"errorCode": 405, "message": "HTTP 405 Method Not Allowed"}, 405))
        form = {name: values[-1] for name, values in parse_qs(request.content.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            raise self._not_authenticated(400, "unsupported_grant_type", "grant_type must be client_credentials", 3)
        if form.get("client_id") != ninjaone_client_id():
            # NinjaOne: also in the wrong region.
            raise Refusal(Reply({"resultCode": "Client app not exist", "incidentId": f"sandbox-{self._requests}"}, 404))
        if form.get("client_secret") != ninjaone_client_secret():
            raise self._not_authenticated(401, "invalid_client", "Invalid client credentials", 10)
        scope = form.get("scope", "")
        if "monitoring" not in scope.split():
            raise self._not_authenticated(400, "invalid_scope", "scope must hold monitoring", 4)
        lifetime = self._options().token_lifetime
        token = f"sandbox-ninjaone-access-{len(self._expiry) + 1}"
        self._expiry[token] = self.backend.now + timedelta(seconds=lifetime)
        # NinjaOne: no refresh token.
        return Reply({"access_token": token, "expires_in": lifetime, "scope": scope, "token_type": "Bearer"})

    def _authenticate(self, request: VendorRequest) -> None:
        header = request.headers.get("Authorization")
        if header is None:
            raise self._not_authenticated(400, "missing_header", "", 2)
        match = re.fullmatch(r"Bearer (\S+)", header)
        if match is None:
            raise self._not_authenticated(400, "invalid_header", "", 1)
        token, most = match[1], self._options().token_uses
        self._uses[token] = self._uses.get(token, 0) + 1
        expiry = self._expiry.get(token)
        if expiry is None or expiry <= self.backend.now or (most is not None and self._uses[token] > most):
            raise self._not_authenticated(401, "not_authenticated", "Invalid credentials", 10)

    # Lists

    def _whole(self, resource: str) -> Callable[[VendorRequest, tuple[str, ...]], Reply]:
        return lambda request, values: Reply([served(resource, one) for one in self.tables[resource]])

    def _after(self, resource: str) -> Callable[[VendorRequest, tuple[str, ...]], Reply]:
        """Pages by `after`, the last id of the page before."""

        def answer(request: VendorRequest, _values: tuple[str, ...]) -> Reply:
            size = self.number(request, "pageSize", self._options().page_size, lowest=1)
            after = self.number(request, "after", 0)
            found = sorted(self.tables[resource], key=lambda one: one["id"])
            return Reply([served(resource, one) for one in found if one["id"] > after][:size])

        return answer

    def _activities(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """NinjaOne: `olderThan` and `newerThan` are ids and exclusive, `after` and `before` are times."""
        size = self.number(request, "pageSize", 200)
        if not 10 <= size <= 1000:
            raise self.refuse(400, "pageSize must be between 10 and 1000")
        kind = request.value("class") or "ALL"
        if kind not in CLASSES:
            raise self.refuse(400, f"class must be one of {', '.join(CLASSES)}")
        older = self.number(request, "olderThan", 10**18)
        newer = self.number(request, "newerThan", -1)
        after, before = self._moment(request, "after"), self._moment(request, "before")
        same = {"type": "activityType", "status": "statusCode", "user": "userId", "seriesUid": "seriesUid"}
        asked = {field: request.value(name) for name, field in same.items() if request.value(name) is not None}
        records = sorted(self.tables["activities"], key=lambda one: one["id"], reverse=True)
        found = [
            one
            for one in records
            if newer < one["id"] < older
            and (kind == "ALL" or (kind == "SYSTEM") == (one["activityType"] == "SYSTEM"))
            and (after is None or moment_of(one, "activityTime") >= after)
            and (before is None or moment_of(one, "activityTime") < before)
            and all(str(one[field]) == value for field, value in asked.items())
        ]
        newest = records[0]["id"] if records else 0
        page = [served("activities", one) for one in found[:size]]
        return Reply({"lastActivityId": newest, "activities": page})

    def _moment(self, request: VendorRequest, name: str) -> datetime | None:
        """A time as epoch seconds or ISO 8601."""
        text = request.value(name)
        if text is None:
            return None
        if re.fullmatch(r"\d{1,11}(\.\d+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        moment = iso_moment(text)
        if moment is None:
            raise self.refuse(400, f"{name} must be a time")
        return moment
