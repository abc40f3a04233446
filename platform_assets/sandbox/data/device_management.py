"""Device management: an estate of organizations, locations, policies and the activity feed."""

import random
from datetime import datetime
from typing import Any

from platform_assets.sandbox.data.words import before, email, iso, some_text, some_uuid

Record = dict[str, Any]
Tables = dict[str, Any]


def stamp(moment: datetime) -> str:
    return iso(moment, fraction="seconds")


def activity(rng: random.Random, number: int, moment: datetime) -> Record:
    return {
        "id": number,
        "activityTime": stamp(moment),
        "deviceId": rng.randrange(1, 300),
        "severity": rng.choice(["MINOR", "MAJOR", "NONE"]),
        "priority": "LOW",
        "seriesUid": some_uuid(rng),
        "activityType": rng.choice(["SYSTEM", "ACTIONSET"]),
        "statusCode": "USER_LOGGED_IN",
        "status": "User logged in",
        "activityResult": rng.choice(["SUCCESS", "FAILURE"]),
        "sourceConfigUid": None,
        "sourceName": None,
        "subject": None,
        "userId": rng.randrange(1, 40),
        "message": some_text(rng),
        "type": "System",
        "data": {"message": {"code": "user_logged_in", "params": {"appUserEmail": email(rng), "ip": "203.0.113.9"}}},
    }


def policy(rng: random.Random, number: int, now: datetime) -> Record:
    return {
        "id": number,
        "parentPolicyId": None if number % 3 else max(1, number - 1),
        "name": f"Policy {number}",
        "description": None,
        "nodeClass": rng.choice(["WINDOWS_SERVER", "LINUX_SERVER", "MAC"]),
        "nodeClassDefault": number % 5 == 0,
        "updated": stamp(before(rng, now, 400)),
        "tags": [],
    }


def group(rng: random.Random, number: int, now: datetime) -> Record:
    created = before(rng, now, 400)
    return {
        "id": number,
        "name": f"Offline {number}d",
        "description": None,
        "shared": True,
        "created": stamp(created),
        "updated": None if number % 6 == 0 else stamp(max(created, before(rng, now, 90))),
        "deviceCount": rng.randrange(50),
        "lastEvaluated": stamp(before(rng, now, 1)),
        "tags": ["x"],
    }


def create(rng: random.Random, now: datetime) -> Tables:
    organizations = [
        {
            "id": n,
            "name": f"Customer {n} é",
            "description": "HQ",
            "nodeApprovalMode": "AUTOMATIC",
            "userData": {},
            "tags": [],
            "fields": {"tier": rng.choice(["gold", "silver"])},
        }
        for n in range(1, 241)
    ]
    scripts = [
        {
            "id": n,
            "name": f"Clear temp {n}",
            "description": some_text(rng),
            "active": n % 9 != 0,
            "language": rng.choice(["powershell", "bash"]),
            "architecture": ["64", "32"],
            "operatingSystems": ["Windows"],
            "scriptParameters": ["-Verbose"],
            "scriptVariables": [{"id": "v1", "name": "path", "type": "TEXT", "required": False}],
            "createdOn": stamp(created := before(rng, now, 900)),
            "updatedOn": stamp(max(created, before(rng, now, 90))),
        }
        for n in range(1, 121)
    ]
    locations = [
        {
            "id": n,
            "organizationId": rng.randrange(1, 241),
            "name": "Main office",
            "address": "1 Main St\nTown",
            "description": None,
            "userData": {},
            "tags": [],
            "fields": {},
        }
        for n in range(1, 388)
    ]
    roles = [
        {
            "id": n,
            "name": f"ROLE_{n}",
            "description": None,
            "nodeClass": "WINDOWS_SERVER",
            "custom": n % 2 == 0,
            "chassisType": "UNKNOWN",
            "created": stamp(before(rng, now, 1500)),
            "tags": [],
        }
        for n in range(101, 141)
    ]
    products = [
        {
            "id": some_uuid(rng),
            "vendorName": "Mozilla",
            "productName": f"Firefox {n}",
            "installable": True,
            "active": n % 8 != 0,
        }
        for n in range(400)
    ]
    activities = [activity(rng, 911_000 + n, before(rng, now, 30)) for n in range(1500)]
    return {
        "organizations": organizations,
        "policies": [policy(rng, n, now) for n in range(1, 91)],
        "activities": activities,
        "automation_scripts": scripts,
        "groups": [group(rng, n, now) for n in range(560, 610)],
        "locations": locations,
        "roles": roles,
        "software_products": products,
    }


def advance(tables: Tables, rng: random.Random, now: datetime, hours: float) -> None:
    """Add activities, evaluate groups, edit a role without changing any of its times, remove a policy."""
    number = max((one["id"] for one in tables["activities"]), default=0)
    for offset in range(1 + int(min(hours, 100))):
        tables["activities"].append(activity(rng, number + 1 + offset, before(rng, now, hours / 24)))
    for one in tables["groups"]:
        one.update(lastEvaluated=stamp(now), deviceCount=one["deviceCount"] + rng.randrange(2))
    for one in rng.sample(tables["policies"], min(3, len(tables["policies"]))):
        one.update(description="edited", updated=stamp(now))
    if tables["roles"]:
        rng.choice(tables["roles"])["description"] = f"edited at {stamp(now)}"
    if len(tables["policies"]) > 1:
        tables["policies"].pop()
