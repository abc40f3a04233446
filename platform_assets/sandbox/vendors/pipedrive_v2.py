"""Pipedrive v2: opaque cursors, exact times, archived and deleted deals apart."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from platform_assets.sandbox.backend import Record
from platform_assets.sandbox.vendors.exchange import Handler, Reply, Vendor, VendorRequest
from platform_assets.sandbox.vendors.pipedrive_records import activity, as_v2, deal, deals, v2_fields
from platform_assets.sandbox.vendors.times import plain

_STATUSES = ("open", "won", "lost", "deleted")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_ORDERS = ("id", "add_time", "update_time")
_DIRECTIONS = ("asc", "desc")


class PipedriveV2:
    """Handlers of v2's paths; `routes` maps a path to its cost in tokens and its handler."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        owners = ("owner_id", "org_id")
        self.routes: dict[str, tuple[int, Handler]] = {
            "/deals": (10, lambda request, values: self._deals(request, archived=False)),
            "/deals/archived": (20, lambda request, values: self._deals(request, archived=True)),
            "/deals/products": (10, self._lines_of_deals),
            "/deals/*/products": (10, self._lines_of_deal),
            "/activities": (10, self._activities),
            "/persons": (10, self._listed("persons", owners)),
            "/organizations": (10, self._listed("organizations", ("owner_id",))),
            "/products": (10, self._products),
            "/pipelines": (5, self._timeless("pipelines")),
            "/stages": (5, self._timeless("stages", ("pipeline_id",))),
            **{f"/{name}Fields": (10, self._fields(f"{name}_fields")) for name in _WITH_FIELDS},
        }

    # Parameters

    def _moment(self, request: VendorRequest, name: str) -> datetime | None:
        """Pipedrive: exactly `%Y-%m-%dT%H:%M:%SZ`; a fraction or a space is 400."""
        text = request.value(name)
        if text is None:
            return None
        try:
            moment = datetime.strptime(text, _TIME).replace(tzinfo=UTC)
        except ValueError:
            moment = None
        if moment is None or moment.strftime(_TIME) != text:
            raise self._vendor.refuse(400, f"{name} must be a time in the format RFC3339, e.g. 2025-01-01T10:20:00Z")
        return moment

    def _names(self, request: VendorRequest, name: str, most: int) -> list[str] | None:
        """A comma-separated list of at most `most` values; None if it is not given."""
        text = request.value(name)
        if text is None:
            return None
        found = [part for part in text.split(",") if part]
        if len(found) > most:
            raise self._vendor.refuse(400, f"{name} must hold at most {most} values")
        return found

    def _chosen(self, request: VendorRequest, records: Iterable[Record], fields: tuple[str, ...]) -> list[Record]:
        """Records that the query asks for by id, by one of `fields`, and by time of update."""
        since, until = self._moment(request, "updated_since"), self._moment(request, "updated_until")
        ids = self._names(request, "ids", 100)
        asked = {name: request.value(name) for name in fields if request.value(name) is not None}
        return [
            one
            for one in records
            if (ids is None or str(one["id"]) in ids)
            and all(str(one[name]) == value for name, value in asked.items())
            # Pipedrive: `updated_since` is inclusive, `updated_until` exclusive.
            and (since is None or plain(one["update_time"]) >= since)
            and (until is None or plain(one["update_time"]) < until)
        ]

    def _with_custom_fields(self, request: VendorRequest, record: Record) -> Record:
        """A record with those custom fields that the query names; all without it."""
        names = self._names(request, "custom_fields", 15)
        if names is None or "custom_fields" not in record:
            return record
        kept = {name: value for name, value in record["custom_fields"].items() if name in names}
        return {**record, "custom_fields": kept}

    # Pages

    def _page(
        self, request: VendorRequest, records: list[Record], show: Callable[[Record], Record], *, null: bool = False
    ) -> Reply:
        """A page in the order asked for. `null`: whether the last page has a null cursor instead of none."""
        limit = self._vendor.number(request, "limit", 100, lowest=1)
        if limit > 500:
            raise self._vendor.refuse(400, "limit must be at most 500")
        field, direction = request.value("sort_by") or "id", request.value("sort_direction") or "asc"
        if field not in _ORDERS or direction not in _DIRECTIONS:
            raise self._vendor.refuse(400, "sort_by or sort_direction is not allowed")
        start: tuple[Any, Any] | None = None
        cursor = request.value("cursor")
        if cursor is not None:
            field, direction, start = self._position(cursor)
        down = direction == "desc"
        ordered = sorted(records, key=lambda one: (one[field], one["id"]), reverse=down)
        if start is not None:
            first = start
            ordered = [
                one
                for one in ordered
                if ((one[field], one["id"]) <= first if down else (one[field], one["id"]) >= first)
            ]
        additional: Record = {"next_cursor": None} if null else {}
        if len(ordered) > limit:
            following = ordered[limit]
            mark = {"field": field, "value": following[field], "direction": direction, "id": following["id"]}
            additional["next_cursor"] = base64.urlsafe_b64encode(orjson.dumps(mark)).decode()
        return Reply({"success": True, "data": [show(one) for one in ordered[:limit]], "additional_data": additional})

    def _position(self, cursor: str) -> tuple[str, str, tuple[Any, Any]]:
        """Field, direction and first row of a cursor."""
        try:
            mark = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
            field, direction, value, identity = (mark[name] for name in ("field", "direction", "value", "id"))
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise self._vendor.refuse(400, "cursor is not valid") from None
        kind = int if field == "id" else str
        if field not in _ORDERS or direction not in _DIRECTIONS or not isinstance(value, kind):
            raise self._vendor.refuse(400, "cursor is not valid")
        return field, direction, (value, identity)

    # Lists

    def _show(self, request: VendorRequest) -> Callable[[Record], Record]:
        return lambda record: as_v2(self._with_custom_fields(request, record))

    def _listed(self, resource: str, fields: tuple[str, ...]) -> Handler:
        return lambda request, values: self._page(
            request, self._chosen(request, self._vendor.tables[resource], fields), self._show(request)
        )

    def _timeless(self, resource: str, fields: tuple[str, ...] = ()) -> Handler:
        """Pipedrive: pipelines and stages answer 400 to `updated_since`."""

        def answer(request: VendorRequest, values: tuple[str, ...]) -> Reply:
            for name in ("updated_since", "updated_until"):
                if request.value(name) is not None:
                    raise self._vendor.refuse(400, f"{name} is not allowed")
            return self._listed(resource, fields)(request, values)

        return answer

    def _products(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        if request.value("updated_until") is not None:
            raise self._vendor.refuse(400, "updated_until is not allowed")
        return self._listed("products", ("owner_id",))(request, values)

    def _activities(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Pipedrive: attendees come only with `include_fields=attendees`."""
        with_attendees = "attendees" in (request.value("include_fields") or "").split(",")
        found = self._chosen(request, self._vendor.tables["activities"], ("owner_id", "deal_id", "person_id", "org_id"))
        return self._page(request, found, lambda one: as_v2(one if with_attendees else activity(one)))

    def _deals(self, request: VendorRequest, *, archived: bool) -> Reply:
        """Pipedrive: archived deals are in the other list, and deleted ones come only if `status` names them."""
        text = request.value("status")
        statuses = _STATUSES[:3] if text is None else tuple(text.split(","))
        if not set(statuses) <= set(_STATUSES):
            raise self._vendor.refuse(400, f"status must be of {', '.join(_STATUSES)}")
        records = (
            deal(one)
            for one in deals(self._vendor.backend)
            if one["is_archived"] == archived
            and ("deleted" in statuses if one["is_deleted"] else one["status"] in statuses)
        )
        fields = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
        return self._page(request, self._chosen(request, records, fields), self._show(request), null=True)

    def _lines_of_deal(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        found = self._vendor.tables["deal_products"].get(values[0])
        if found is None:
            raise self._vendor.refuse(404, "Deal not found")
        return self._page(request, found, as_v2)

    def _lines_of_deals(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        """Pipedrive: `deal_ids` is one comma-separated value of at most 100 ids."""
        ids = self._names(request, "deal_ids", 100)
        if not ids or not all(re.fullmatch(r"\d{1,18}", one) for one in ids):
            raise self._vendor.refuse(400, "deal_ids is required: ids, separated by commas")
        if len(request.values("deal_ids")) > 1:
            raise self._vendor.refuse(400, "deal_ids must be one value")
        tables = self._vendor.tables["deal_products"]
        return self._page(request, [one for key in dict.fromkeys(ids) for one in tables.get(key, [])], as_v2)

    def _fields(self, resource: str) -> Handler:
        return lambda request, values: self._page(
            request,
            v2_fields(self._vendor.tables[resource]),
            lambda one: {name: value for name, value in one.items() if name != "id"},
        )


_WITH_FIELDS = ("deal", "activity", "organization", "person", "product")
