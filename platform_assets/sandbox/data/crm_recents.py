"""The CRM's feed of recent changes: deals, people, products and the other kinds of records that it serves."""

import random
from datetime import datetime, timedelta
from typing import Any

from platform_assets.sandbox.data.words import LONG_TEXT, NAMES, before, email, plain, some_text

Record = dict[str, Any]
Tables = dict[str, Any]

CUSTOM = "d4de1c1518b4531717c676029a45911c340390a6"
CUSTOM_SET_ON_SOME = "befdcfc4f54b8410b8d9105ba6d44658fd5965b9"
RECENT_KINDS = {
    "deal": "deals",
    "file": "files",
    "filter": "filters",
    "note": "notes",
    "activity": "activities",
    "person": "persons",
    "pipeline": "pipelines",
    "product": "products",
    "stage": "stages",
    "user": "users",
}


def times(rng: random.Random, now: datetime, days: float = 400) -> dict[str, str]:
    added = before(rng, now, days)
    return {"add_time": plain(added), "update_time": plain(added + (now - added) * rng.random())}


def deal(rng: random.Random, number: int, now: datetime) -> Record:
    status = rng.choice(["open", "open", "won", "lost"])
    when = times(rng, now)
    record: Record = {
        "id": number,
        "title": f"Deal {number} – {some_text(rng)[:60]}",
        "owner_id": 11884360 + rng.randrange(8),
        "creator_user_id": 11884360,
        "person_id": rng.randrange(1, 400),
        "org_id": rng.randrange(1, 300) if number % 4 else None,
        "pipeline_id": 1 + number % 3,
        "stage_id": 1 + number % 12,
        "value": rng.randrange(100_000) / 4,
        "currency": "EUR" if number % 7 < 5 else "USD",
        **when,
        "stage_change_time": when["update_time"] if number % 2 else None,
        "is_deleted": False,
        "is_archived": number % 23 == 0,
        "status": status,
        "probability": rng.choice([None, 10, 55.5]),
        "lost_reason": "too expensive 💸" if status == "lost" else None,
        "visible_to": 3,
        "close_time": when["update_time"] if status != "open" else None,
        "won_time": when["update_time"] if status == "won" else None,
        "lost_time": when["update_time"] if status == "lost" else None,
        "expected_close_date": (now + timedelta(days=30 * (number % 6))).date().isoformat() if number % 3 else None,
        "label_ids": [1, 2] if number % 5 == 0 else [],
        "origin": "ManuallyCreated",
        "custom_fields": {CUSTOM: {"value": 2300, "currency": "EUR"}},
    }
    if number % 3 == 0:
        record[CUSTOM_SET_ON_SOME] = rng.choice([None, "text", 7])
    return record


def recents(rng: random.Random, now: datetime) -> Tables:
    """The ten kinds of records that `recents` serves; their ids overlap on purpose."""
    return {
        "deals": [deal(rng, n, now) for n in range(1, 421)],
        "files": [
            {
                "id": n,
                "user_id": 11884360 if n % 5 else None,
                "log_id": None,
                **times(rng, now),
                "file_name": f"{rng.getrandbits(64):016x}.png",
                "file_size": rng.randrange(10**7),
                "file_type": "img",
                "active_flag": True,
                "inline_flag": False,
                "remote_location": "s3",
                "remote_id": f"company/{n}",
                "url": f"https://app.example.com/api/v1/files/{n}/download",
                "name": "logo ü.png",
                "description": None,
                "deal_id": n if n % 3 == 0 else None,
                "person_id": None,
                "org_id": 1,
                "mail_message_id": None,
                "cid": None,
            }
            for n in range(1, 301)
        ],
        "filters": [
            {
                "id": n,
                "name": f"Filter {n}…",
                "active_flag": True,
                "type": "deals",
                "temporary_flag": None,
                "user_id": 11884360,
                **times(rng, now),
                "visible_to": "7",
                "custom_view_id": None,
            }
            for n in range(1, 41)
        ],
        "notes": [
            {
                "id": n,
                "user_id": 11884360,
                "deal_id": n % 400 + 1,
                "person_id": None,
                "org_id": 1,
                "lead_id": None,
                "content": f"<p>{LONG_TEXT if n % 200 == 0 else some_text(rng)}</p>",
                **times(rng, now),
                "active_flag": True,
                "pinned_to_deal_flag": False,
                "organization": {"name": "Organization 1"},
                "user": {"email": email(rng), "name": "Team", "is_you": True},
            }
            for n in range(1, 701)
        ],
        "activities": [
            {
                "id": n,
                "subject": some_text(rng)[:80],
                "type": rng.choice(["task", "call", "meeting"]),
                "owner_id": 11884360 + n % 8,
                "creator_user_id": 11884360,
                "is_deleted": False,
                **times(rng, now),
                "deal_id": n % 420 + 1,
                "lead_id": None,
                "person_id": 1,
                "org_id": 1,
                "due_date": (now + timedelta(days=n % 45 - 30)).date().isoformat(),
                "due_time": "" if n % 2 else "09:30",
                "duration": "",
                "busy": True,
                "done": n % 3 == 0,
                "marked_as_done_time": None,
                "location": None,
                "participants": [{"person_id": 1, "primary": True}],
                "attendees": [],
                "priority": None,
                "note": some_text(rng),
            }
            for n in range(1, 1201)
        ],
        "persons": [
            {
                "id": n,
                "name": f"{rng.choice(NAMES)} Sample",
                "first_name": rng.choice(NAMES),
                "last_name": "Sample",
                "owner_id": 11884360,
                "org_id": n % 300 + 1,
                **times(rng, now),
                "emails": [{"label": "work", "value": email(rng), "primary": True}],
                "phones": [{"label": "work", "value": "+14443332266", "primary": True}],
                "is_deleted": False,
                "visible_to": 3,
                "label_ids": [3],
                "picture_id": None,
                "custom_fields": {},
            }
            for n in range(1, 1001)
        ],
        "pipelines": [
            {
                "id": n,
                "name": f"Pipeline {n}",
                "order_nr": n,
                "is_deleted": False,
                "is_deal_probability_enabled": True,
                **times(rng, now),
            }
            for n in range(1, 4)
        ],
        "products": [
            {
                "id": n,
                "name": f"Product {n}",
                "code": str(10_000 + n),
                "unit": "Kg",
                "tax": 5.0,
                "category": "12",
                "description": some_text(rng) or None,
                "is_deleted": False,
                "is_linkable": True,
                "visible_to": 3,
                "owner_id": 11884360,
                **times(rng, now),
                "billing_frequency": "one-time",
                "prices": [{"product_id": n, "price": 10, "currency": "USD", "cost": 0, "direct_cost": None}],
                "custom_fields": {},
            }
            for n in range(1, 161)
        ],
        "stages": [
            {
                "id": n,
                "order_nr": n,
                "name": f"Stage {n}",
                "is_deleted": False,
                "deal_probability": 100,
                "pipeline_id": 1 + n % 3,
                "is_deal_rot_enabled": False,
                "days_to_rotten": None,
                **times(rng, now),
            }
            for n in range(1, 13)
        ],
        "users": [
            {
                "id": 11884360 + n,
                "name": f"{NAMES[n % len(NAMES)]} Team",
                "default_currency": "EUR",
                "timezone_name": "Europe/Kiev",
                "timezone_offset": "+03:00",
                "locale": "en_US",
                "email": email(rng),
                "phone": None,
                "created": "2020-12-10 07:23:44",
                "modified": plain(before(rng, now, 60)),
                "lang": 1,
                "active_flag": n != 7,
                "is_admin": 1 if n == 0 else 0,
                "last_login": plain(before(rng, now, 5)),
                "role_id": 1,
                "has_created_company": False,
                "icon_url": None,
                "is_you": n == 0,
            }
            for n in range(8)
        ],
    }
