"""Pipedrive's records, in the shapes of v1 and v2, and what a load has of them."""

import re
from datetime import timedelta
from typing import Any

from platform_assets.sandbox.backend import FakeBackend, Record
from platform_assets.sandbox.data.crm_recents import CUSTOM_SET_ON_SOME
from platform_assets.sandbox.vendors.exchange import flat
from platform_assets.sandbox.vendors.times import plain, rfc3339

# Pipedrive: deleted records can be read for so long; then they are purged.
PURGED_AFTER = timedelta(days=30)
_CUSTOM_KEY = re.compile(r"[0-9a-f]{40}")
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def deal(record: Record) -> Record:
    """A deal with v2's fields: custom fields only under `custom_fields`, null where they are not set."""
    custom = {CUSTOM_SET_ON_SOME: None, **record["custom_fields"]}
    custom |= {name: value for name, value in record.items() if _CUSTOM_KEY.fullmatch(name)}
    found = {name: value for name, value in record.items() if not _CUSTOM_KEY.fullmatch(name)}
    dates = {f"local_{name}_date": (record[f"{name}_time"] or "")[:10] or None for name in ("won", "lost", "close")}
    return {
        **found,
        "custom_fields": custom,
        "archive_time": record["update_time"] if record["is_archived"] else None,
        "source_lead_id": None,
        "channel": None,
        "channel_id": None,
        "acv": None,
        "arr": None,
        "mrr": None,
        **dates,
    }


def activity(record: Record) -> Record:
    """An activity; v2 has attendees only on request."""
    return {name: value for name, value in record.items() if name != "attendees"}


def activity_type(record: Record) -> Record:
    """A type of activity; Pipedrive: `update_time` is missing where it was never changed."""
    is_changed = record["update_time"] != record["add_time"]
    return {name: value for name, value in record.items() if is_changed or name != "update_time"}


def deals(backend: FakeBackend) -> list[Record]:
    """Deals that are not purged, archived and deleted ones included."""
    oldest = backend.now - PURGED_AFTER
    return [
        one for one in backend.tables["crm"]["deals"] if not one["is_deleted"] or plain(one["update_time"]) > oldest
    ]


def as_v2(record: Record) -> Record:
    """A record with v2's times: RFC 3339 with `Z`."""
    return {
        name: rfc3339(value) if isinstance(value, str) and _PLAIN.fullmatch(value) else value
        for name, value in record.items()
    }


def as_v1_recent(kind: str, record: Record) -> Any:
    """The record within an envelope of `recents`, with v1's names; users come as a list."""
    if kind == "user":
        return [record]
    found = dict(record)
    if kind == "deal":
        for key, value in found.pop("custom_fields").items():
            found |= {key: value["value"], f"{key}_currency": value["currency"]}
        found |= {"deleted": found.pop("is_deleted"), "active": record["status"] == "open"}
    if kind == "person":
        found |= {"email": found.pop("emails"), "phone": found.pop("phones")}
        found["active_flag"] = not found.pop("is_deleted")
    return found


def v2_fields(records: list[Record]) -> list[Record]:
    """Field definitions in v2: other names, and subfields within their field."""
    found: list[Record] = []
    for record in records:
        if record.get("is_subfield"):
            parent = next(one for one in found if one["id"] == record["parent_id"])
            parent["subfields"] = [*(parent["subfields"] or []), _v2_names(record)]
        else:
            rest = {"options": record["options"], "subfields": None, "is_optional_response_field": False}
            is_custom = _CUSTOM_KEY.fullmatch(record["key"]) is not None
            # `id` is only the order of the list; it is not served.
            found.append({"id": record["id"], **_v2_names(record), "is_custom_field": is_custom, **rest})
    return found


def _v2_names(record: Record) -> Record:
    return {"field_code": record["key"], "field_name": record["name"], "field_type": record["field_type"]}


def rows(backend: FakeBackend) -> dict[str, list[Record]]:
    """What a correct load has in each table: v1's field definitions, archived deals and leads, all folders' threads."""
    tables = backend.tables["crm"]
    found = {name: flat(table) if isinstance(table, dict) else list(table) for name, table in tables.items()}
    del found["invisible"]
    return {
        **found,
        # A time that only v2 has is text there, and stays as it is served.
        "deals": [{**found, "archive_time": as_v2(found)["archive_time"]} for found in map(deal, deals(backend))],
        "activity_types": [activity_type(one) for one in tables["activity_types"]],
    }
