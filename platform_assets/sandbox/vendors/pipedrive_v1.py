"""Pipedrive v1: `start` and `limit`, null for an empty list, and lists that leave out `additional_data`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_assets.sandbox.backend import Record
from platform_assets.sandbox.data.crm import FOLDERS
from platform_assets.sandbox.data.crm_recents import RECENT_KINDS
from platform_assets.sandbox.vendors.exchange import Handler, Reply, Vendor, VendorRequest
from platform_assets.sandbox.vendors.pipedrive_records import activity_type, as_v1_recent
from platform_assets.sandbox.vendors.times import any_moment, iso_moment

# Pipedrive: gone from v1; v2 has them.
RETIRED = (
    "/activities",
    "/deals",
    "/deals/archived",
    "/deals/*/products",
    "/organizations",
    "/persons",
    "/pipelines",
    "/products",
    "/stages",
)
# Pipedrive: api.pipedrive.com serves `/api/v1` too, but for these.
NOT_UNDER_API = ("/leads", "/leadLabels", "/goals/find", "/mailbox/")
# Pipedrive: `recents` looks back so far at most, whatever `since_timestamp` says.
RECENTS_REACH = timedelta(days=30)
_GOAL_CRITERIA = ("type.name", "title", "assignee.id", "expected_outcome.tracking_metric", "period.start")


class PipedriveV1:
    """Handlers of v1's paths; `routes` maps a path to its cost in tokens and its handler."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        whole, listed, types = self._whole, self._listed, lambda: self._rows("activity_types")
        self.routes: dict[str, tuple[int, Handler]] = {
            "/dealFields": (20, listed("deal_fields")),
            "/organizationFields": (20, listed("organization_fields")),
            "/personFields": (20, listed("person_fields")),
            "/productFields": (20, listed("product_fields")),
            "/activityFields": (20, self._activity_fields),
            "/files": (20, listed("files", highest=100, orders=("id", "update_time"))),
            "/notes": (20, self._notes),
            "/leads": (20, self._leads),
            "/leads/archived": (40, self._archived_leads),
            "/roles": (20, self._roles),
            "/recents": (20, self._recents),
            "/mailbox/mailThreads": (20, self._threads),
            "/mailbox/mailThreads/*/mailMessages": (20, self._mails),
            "/goals/find": (20, self._goals),
            "/filters": (20, whole("filters", "type")),
            "/users": (20, whole("users")),
            "/leadLabels": (10, whole("lead_labels")),
            "/activityTypes": (20, lambda request, values: _alone([activity_type(one) for one in types()])),
            "/currencies": (20, self._currencies),
            "/permissionSets": (20, whole("permission_sets", "app")),
        }

    def _rows(self, resource: str) -> list[Record]:
        return self._vendor.tables[resource]

    # Ways of paging

    def _page(
        self, request: VendorRequest, records: list[Record], *, highest: int = 500, next_start: bool = True
    ) -> Reply:
        """A page by `start` and `limit`."""
        start = self._vendor.number(request, "start", 0)
        limit = self._vendor.number(request, "limit", 100, lowest=1, highest=highest)
        more = start + limit < len(records)
        pagination: Record = {"start": start, "limit": limit, "more_items_in_collection": more}
        if more and next_start:
            pagination["next_start"] = start + limit
        page = records[start : start + limit]
        return Reply({"success": True, "data": page or None, "additional_data": {"pagination": pagination}})

    def _listed(self, resource: str, *, highest: int = 500, orders: tuple[str, ...] = ()) -> Handler:
        return lambda request, values: self._page(
            request, self._sorted(request, self._rows(resource), orders), highest=highest
        )

    def _whole(self, resource: str, condition: str | None = None) -> Handler:
        """A list in one response, without `additional_data`; `condition` is a field that the query may name."""

        def answer(request: VendorRequest, _values: tuple[str, ...]) -> Reply:
            wanted = request.value(condition) if condition else None
            found = [one for one in self._rows(resource) if wanted is None or one[condition or ""] == wanted]
            return _alone(found)

        return answer

    def _sorted(self, request: VendorRequest, records: list[Record], fields: tuple[str, ...]) -> list[Record]:
        """Records by `sort`, e.g. `update_time DESC, id`; lists without fields to sort by ignore it."""
        text = request.value("sort")
        if not text or not fields:
            return records
        for part in reversed(text.split(",")):
            field, _, direction = part.strip().partition(" ")
            if field not in fields or direction.upper() not in ("", "ASC", "DESC"):
                raise self._vendor.refuse(400, f"sort cannot be {text}")
            records = sorted(records, key=_value_of(field), reverse=direction.upper() == "DESC")
        return records

    def _since(self, request: VendorRequest, records: list[Record]) -> list[Record]:
        """Records changed since `updated_since`, which is inclusive."""
        text = request.value("updated_since")
        if text is None:
            return records
        moment = iso_moment(text)
        if moment is None or "T" not in text:
            raise self._vendor.refuse(400, "updated_since must be an RFC 3339 time")
        return [one for one in records if any_moment(one["update_time"]) >= moment]

    # Lists

    def _activity_fields(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Takes no parameters."""
        found = self._rows("activity_fields")
        pagination = {"start": 0, "limit": 100, "more_items_in_collection": False}
        return Reply({"success": True, "data": found or None, "additional_data": {"pagination": pagination}})

    def _notes(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        found = self._since(request, self._rows("notes"))
        return self._page(request, self._sorted(request, found, ("id", "add_time", "update_time")))

    def _leads(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Archived leads have a list of their own."""
        found = self._since(request, [one for one in self._rows("leads") if not one["is_archived"]])
        return self._page(request, self._sorted(request, found, ("id", "title", "add_time", "update_time")))

    def _archived_leads(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Does not know `updated_since`."""
        found = [one for one in self._rows("leads") if one["is_archived"]]
        return self._page(request, self._sorted(request, found, ("id", "title", "add_time", "update_time")))

    def _roles(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Pipedrive: the pagination of roles has no `next_start`."""
        return self._page(request, self._rows("roles"), next_start=False)

    def _currencies(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        term = (request.value("term") or "").lower()
        return _alone([one for one in self._rows("currencies") if term in f"{one['code']} {one['name']}".lower()])

    def _goals(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Pipedrive: without a criterion only the token owner's goals; `is_active` is true unless said otherwise."""
        active = request.value("is_active") or "true"
        if active not in ("true", "false"):
            raise self._vendor.refuse(400, "is_active must be true or false")
        metric = request.value("expected_outcome.tracking_metric")
        if metric not in (None, "quantity", "sum"):
            raise self._vendor.refuse(400, "expected_outcome.tracking_metric must be quantity or sum")
        kind, title, assignee = (request.value(name) for name in ("type.name", "title", "assignee.id"))
        owner = next((one["id"] for one in self._rows("users") if one["is_you"]), None)
        with_criterion = any(request.value(name) for name in _GOAL_CRITERIA)
        found = [
            one
            for one in self._rows("goals")
            if one["is_active"] == (active == "true")
            and (with_criterion or one["owner_id"] == owner)
            and metric in (None, one["expected_outcome"]["tracking_metric"])
            and kind in (None, one["type"]["name"])
            and title in (None, one["title"])
            and assignee in (None, str(one["assignee"]["id"]))
        ]
        beside = {"statusCode": 200, "statusText": "OK", "service": "goals-service-api"}
        return Reply({"success": True, "data": {"goals": found}, **beside})

    # Mail

    def _threads(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Pipedrive: `folder` is required; `start` and `limit` count, but the body does not say whether more follow."""
        folder = request.value("folder")
        if folder not in FOLDERS:
            raise self._vendor.refuse(400, f"folder is required, one of {', '.join(FOLDERS)}")
        reply = self._page(request, [one for one in self._rows("mail_threads") if folder in one["folders"]])
        del reply.body["additional_data"]
        return reply

    def _mails(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Takes no parameters at all."""
        found = self._vendor.tables["mail"].get(values[0])
        if found is None:
            raise self._vendor.refuse(404, "Mail thread not found")
        return _alone(found)

    # Recents

    def _recents(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Envelopes of what changed in the last month at most, in v1's shape."""
        since, kind = request.value("since_timestamp"), request.value("items")
        moment = _strict_plain(since or "")
        if moment is None:
            raise self._vendor.refuse(400, "since_timestamp is required as YYYY-MM-DD HH:MM:SS")
        if kind is not None and kind not in RECENT_KINDS:
            raise self._vendor.refuse(400, f"items cannot be {kind}")
        lowest = max(moment, self._vendor.backend.now - RECENTS_REACH).strftime("%Y-%m-%d %H:%M:%S")
        found = [
            {"item": item, "id": one["id"], "data": as_v1_recent(item, one)}
            for item, resource in RECENT_KINDS.items()
            if kind in (None, item)
            for one in self._rows(resource)
            if one["modified" if item == "user" else "update_time"] >= lowest
        ]
        found += [
            {"item": one["item"], "id": one["id"], "data": None}
            for one in self._rows("invisible")
            if kind in (None, one["item"]) and one["update_time"] >= lowest
        ]
        return self._page(request, found)


def _alone(records: list[Record]) -> Reply:
    """Pipedrive: these lists have no `additional_data`; an empty one is null."""
    return Reply({"success": True, "data": records or None})


def _value_of(field: str) -> Callable[[Record], Any]:
    return lambda record: record[field]


def _strict_plain(text: str) -> datetime | None:
    """A `YYYY-MM-DD HH:MM:SS`, or None."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.strftime("%Y-%m-%d %H:%M:%S") == text else None
