"""CRM: the feed of recent changes, and beside it leads, product lines, field definitions and mail."""

import random
from datetime import datetime, timedelta

from platform_assets.sandbox.data.crm_recents import (
    CUSTOM,
    Record,
    Tables,
    deal,
    recents,
    times,
)
from platform_assets.sandbox.data.words import before, email, iso, plain, some_text, some_uuid

# Of a deal that was just added, they are all now.
_DEAL_TIMES = ("add_time", "update_time", "stage_change_time", "close_time", "won_time", "lost_time")
FOLDERS = ("inbox", "drafts", "sent", "archive")


def product_line(rng: random.Random, number: int, deal_id: int, now: datetime) -> Record:
    price, quantity = rng.randrange(1, 400) / 2, rng.choice([1, 2.5, 6])
    return {
        "id": number,
        "deal_id": deal_id,
        "product_id": rng.randrange(1, 160),
        "product_variation_id": None,
        "name": f"Item {number}",
        "order_nr": 1,
        "item_price": price,
        "quantity": quantity,
        "discount": 0.0,
        "discount_type": "percentage",
        "sum": price * quantity,
        "tax": 0.0,
        "tax_method": "inclusive",
        "currency": "EUR",
        "is_enabled": True,
        "comments": None,
        **times(rng, now),
        "billing_frequency": "one-time",
        "billing_frequency_cycles": None,
        "billing_start_date": None,
    }


def lead(rng: random.Random, number: int, now: datetime) -> Record:
    record: Record = {
        "id": some_uuid(rng),
        "title": f"Lead {number}",
        "owner_id": 11884360,
        "creator_id": 11884360,
        "label_ids": [some_uuid(rng)] if number % 2 else [],
        "value": {"amount": 10000, "currency": "USD"} if number % 3 else None,
        "expected_close_date": (now + timedelta(days=121)).date().isoformat(),
        "person_id": number,
        "organization_id": None,
        "is_archived": number % 25 == 0,
        "source_name": "Manually created",
        "was_seen": True,
        "next_activity_id": number * 2 if number % 2 else None,
        **_changed(rng, now, 300, 60),
        "visible_to": "3",
        "cc_email": email(rng),
    }
    if number % 6 == 0:
        record[CUSTOM] = {"nested": [1, {"deep": "ü"}]}
    return record


def _changed(rng: random.Random, now: datetime, added_days: float, updated_days: float) -> dict[str, str]:
    """Times of a record that was added within some days and last changed within fewer."""
    added, updated = before(rng, now, added_days), before(rng, now, updated_days)
    return {"add_time": iso(added), "update_time": iso(max(added, updated))}


def thread(rng: random.Random, number: int, now: datetime) -> Record:
    folders = rng.sample(FOLDERS, rng.choice((1, 1, 2, 3)))
    return {
        "id": number,
        "account_id": "acc-1",
        "user_id": 1,
        "subject": some_text(rng)[:200] or "Re: offer",
        "snippet": "…",
        "folders": [folder for folder in FOLDERS if folder in folders],
        "parties": {"to": [{"id": 2, "email_address": email(rng)}], "from": [{"id": 1, "email_address": email(rng)}]},
        "message_count": 3,
        "has_draft_flag": 0,
        "archived_flag": 0,
        "deleted_flag": 0,
        "shared_flag": 0,
        "read_flag": number % 2,
        "last_message_timestamp": iso(before(rng, now, 20)),
        **_changed(rng, now, 100, 20),
        "deal_id": rng.randrange(1, 400) if number % 3 else None,
        "deal_status": "open",
        "lead_id": None,
        "version": 2,
    }


def mail(rng: random.Random, number: int, thread_id: int, now: datetime) -> Record:
    moment = iso(before(rng, now, 20))
    return {
        "id": number,
        "mail_thread_id": thread_id,
        "account_id": "acc-1",
        "user_id": 1,
        "subject": "Re: offer",
        "snippet": some_text(rng)[:300],
        "from": [{"id": 1, "email_address": email(rng), "name": "A", "linked_person_id": 5}],
        "to": [{"id": 2, "email_address": email(rng)}],
        "cc": [],
        "bcc": [],
        "body_url": "https://mail.example.com/body?signature=x",
        "read_flag": 1,
        "draft_flag": 0,
        "synced_flag": 1,
        "deleted_flag": 0,
        "sent_flag": 1,
        "has_attachments_flag": 0,
        "message_time": moment,
        "add_time": moment,
        "update_time": moment,
        "item_type": "mailMessage",
        "company_id": 7780468,
    }


def fields(rng: random.Random, entity: str, count: int, now: datetime) -> list[Record]:
    """Field definitions of an entity; every fourth is followed by a subfield, which has a key but no id."""
    found: list[Record] = []
    for number in range(count):
        key = "title" if number == 0 else f"{rng.getrandbits(160):040x}"
        found.append(
            {
                "id": 12_000 + number,
                "key": key,
                "name": f"{entity.title()} field {number}",
                "order_nr": number,
                "field_type": "enum" if number % 5 == 0 else "varchar",
                "json_column_flag": False,
                **times(rng, now),
                "last_updated_by_user_id": None,
                "edit_flag": False,
                "bulk_edit_allowed": True,
                "active_flag": True,
                "show_in_pipelines": {"show_in_all": True, "pipeline_ids": []},
                "use_field": "id",
                "link": f"/{entity}/",
                "mandatory_flag": {"if_stage": [1]} if number % 7 == 3 else number % 2 == 0,
                "searchable_flag": False,
                "options": [{"id": 5, "label": "Customer"}, {"id": "call", "label": "Call"}]
                if number % 5 == 0
                else None,
            }
        )
        if number % 4 == 1:
            subfield = {"key": f"{key}_currency", "name": "Currency", "field_type": "varchar", "active_flag": True}
            found.append({**subfield, "parent_id": 12_000 + number, "id_suffix": "_currency", "is_subfield": True})
    return found


def create(rng: random.Random, now: datetime) -> Tables:
    tables = recents(rng, now)
    threads = [thread(rng, n, now) for n in range(1, 151)]
    lines: dict[str, list[Record]] = {}
    number = 1
    for one in tables["deals"]:
        size = rng.choice((0, 1, 2, 3))
        lines[str(one["id"])] = [product_line(rng, number + n, one["id"], now) for n in range(size)]
        number += size
    mails: dict[str, list[Record]] = {}
    number = 1
    for one in threads:
        size = rng.choice((0, 1, 2, 4, 7))
        mails[str(one["id"])] = [mail(rng, number + n, one["id"], now) for n in range(size)]
        number += size
    return {
        **tables,
        # Removed or invisible people: an envelope with null in place of the record.
        "invisible": [{"item": "person", "id": 90_004, "update_time": plain(now)}],
        "deal_fields": fields(rng, "deal", 60, now),
        "activity_fields": fields(rng, "activity", 20, now),
        "organization_fields": fields(rng, "organization", 30, now),
        "person_fields": fields(rng, "person", 40, now),
        "product_fields": fields(rng, "product", 25, now),
        "leads": [lead(rng, n, now) for n in range(1, 1001)],
        "lead_labels": [
            {"id": some_uuid(rng), "name": name, "color": "red", "add_time": iso(now), "update_time": iso(now)}
            for name in ("Hot", "Warm", "Cold ❄️")
        ],
        "organizations": [
            {
                "id": n,
                "name": f"Organization {n} GmbH & Co. «KG»",
                "owner_id": 11884360,
                **times(rng, now),
                "is_deleted": False,
                "visible_to": 3,
                "address": {"value": "Main St", "country": "India"} if n % 2 else None,
                "label_ids": [5],
                "website": None,
                "industry": None,
                "annual_revenue": None,
                "employee_count": None,
                "custom_fields": {},
            }
            for n in range(1, 1301)
        ],
        "roles": [
            {
                "id": n,
                "parent_role_id": None if n == 1 else 1,
                "name": f"Role {n}",
                "active_flag": True,
                "assignment_count": str(n),
                "sub_role_count": "0",
                "level": 1,
                "description": "…",
            }
            for n in range(1, 9)
        ],
        "activity_types": [
            {
                "id": n,
                "order_nr": n,
                "name": name,
                "key_string": name.lower(),
                "icon_key": "car",
                "active_flag": True,
                "color": None,
                "is_custom_flag": False,
                "add_time": plain(now - timedelta(days=n)),
                "update_time": plain(now - timedelta(days=n if n != 2 else 1)),
            }
            for n, name in enumerate(("Task", "Call", "Meeting"), 1)
        ],
        "currencies": [
            {
                "id": n,
                "code": code,
                "name": code,
                "symbol": code,
                "decimal_points": 2,
                "active_flag": True,
                "is_custom_flag": False,
            }
            for n, code in enumerate(("EUR", "USD", "SEK", "AFN"), 1)
        ],
        "permission_sets": [
            {"id": some_uuid(rng), "name": name, "assignment_count": 1, "app": "sales", "type": "admin"}
            for name in ("Deals admin", "Deals regular")
        ],
        "goals": [
            {
                "id": f"{rng.getrandbits(96):024x}",
                "owner_id": 11884361 if n == 2 else 11884360,
                "title": f"Q{n} deals",
                "type": {"name": "deals_won", "params": {"pipeline_id": [1]}},
                "assignee": {"id": 1, "type": "person"},
                "interval": "monthly",
                "duration": {"start": f"{now.year}-01-01", "end": None},
                "expected_outcome": {"target": 50, "tracking_metric": "sum" if n == 4 else "quantity"},
                "is_active": n != 3,
                "report_ids": ["abc"],
            }
            for n in range(1, 5)
        ],
        "mail_threads": threads,
        "mail": mails,
        "deal_products": lines,
    }


def advance(tables: Tables, rng: random.Random, now: datetime, hours: float) -> None:
    """Move deals, remove a product line, rename people, add mail, remove a label and a role."""
    moment, day = plain(now), hours >= 24
    for one in rng.sample(tables["deals"], min(12, len(tables["deals"]))):
        one.update(stage_id=1 + one["stage_id"] % 12, stage_change_time=moment, update_time=moment)
        lines = tables["deal_products"][str(one["id"])]
        if lines:
            lines.pop()
        else:
            number = max((line["id"] for group in tables["deal_products"].values() for line in group), default=0)
            lines.append(product_line(rng, number + 1, one["id"], now))
    for name in ("persons", "activities", "notes"):
        for one in rng.sample(tables[name], min(5, len(tables[name]))):
            one["update_time"] = moment
            if name == "activities":
                one.update(done=True, marked_as_done_time=moment)
    if tables["deals"]:
        number = max(one["id"] for one in tables["deals"]) + 1
        new = deal(rng, number, now)
        tables["deals"].append({**new, **{name: moment for name in _DEAL_TIMES if new[name]}})
        tables["deal_products"][str(number)] = []
    for one in rng.sample(tables["mail_threads"], min(4, len(tables["mail_threads"]))):
        one.update(update_time=iso(now), message_count=one["message_count"] + 1)
        number = max((one["id"] for group in tables["mail"].values() for one in group), default=0)
        tables["mail"][str(one["id"])].append(mail(rng, number + 1, one["id"], now))
    for name in ("lead_labels", "roles"):
        if day and len(tables[name]) > 1:
            tables[name].pop()
