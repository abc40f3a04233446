"""Load testing: organizations, projects and tests."""

import random
from datetime import datetime
from typing import Any

from platform_assets.sandbox.data.words import before, email, iso, some_text

Record = dict[str, Any]
Tables = dict[str, Any]
SCRIPT = 'import http from "k6/http";\n\nexport default function () {\n  http.get("https://shop.example.com/ü?q=\\"x\\"");\n}\n'


def organization(rng: random.Random, number: int, now: datetime) -> Record:
    created = before(rng, now, 900)
    return {
        "id": number,
        "name": f"Org {number} Łódź",
        "owner_id": rng.randrange(1, 99),
        "description": some_text(rng),
        "billing_address": "1 Main St\n12345 Town",
        "billing_country": rng.choice(["SE", "DE", "US"]),
        "billing_email": email(rng),
        "vat_number": None if number % 2 else "SE556",
        "created": iso(created, fraction="seconds"),
        "updated": iso(max(created, before(rng, now, 30)), fraction="microseconds"),
        "is_default": number % 3 == 0,
        "is_saml_org": False,
    }


def project(rng: random.Random, organization_id: int, number: int, now: datetime) -> Record:
    return {
        "id": number,
        "name": f"Project {number}",
        "description": some_text(rng) or None,
        "organization_id": organization_id,
        "created": iso(created := before(rng, now, 500), fraction="seconds"),
        "updated": iso(max(created, before(rng, now, 30)), fraction="seconds"),
        "is_default": number % 10 == 0,
    }


def test_of(rng: random.Random, number: int, projects: list[int], now: datetime) -> Record:
    runs = [number * 10 + offset for offset in range(rng.randrange(4))]
    return {
        "id": number,
        "project_id": rng.choice(projects),
        "user_id": rng.randrange(1, 99),
        "name": f"Test {number} 🚀",
        "created": iso(created := before(rng, now, 300), fraction="microseconds"),
        "updated": iso(max(created, before(rng, now, 30)), fraction="microseconds"),
        "last_test_run_id": str(runs[-1]) if runs else None,
        "test_run_ids": runs,
        "script": SCRIPT * (1 + number % 40),
    }


def create(rng: random.Random, now: datetime) -> Tables:
    organizations = [organization(rng, 1000 + n, now) for n in range(5)]
    sizes = (64, 5, 0, 33, 1)
    projects: dict[str, list[Record]] = {}
    number = 1
    for one, size in zip(organizations, sizes, strict=True):
        projects[str(one["id"])] = [project(rng, one["id"], number + n, now) for n in range(size)]
        number += size
    ids = [one["id"] for group in projects.values() for one in group]
    return {
        "organizations": organizations,
        "projects": projects,
        "tests": [test_of(rng, 4000 + n, ids, now) for n in range(320)],
    }


def advance(tables: Tables, rng: random.Random, now: datetime, hours: float) -> None:
    """Run tests, add new ones, remove one."""
    moment = iso(now, fraction="microseconds")
    tests = tables["tests"]
    for one in rng.sample(tests, min(8, len(tests))):
        run = (one["test_run_ids"] or [one["id"] * 10])[-1] + 1
        one.update(test_run_ids=[*one["test_run_ids"], run], last_test_run_id=str(run), updated=moment)
    ids = [one["id"] for group in tables["projects"].values() for one in group]
    if ids:
        tests.append(test_of(rng, max((one["id"] for one in tests), default=4000) + 1, ids, now))
    if len(tests) > 2:
        tests.pop(rng.randrange(len(tests)))
    if hours >= 24 and tables["organizations"]:
        new = organization(rng, max(one["id"] for one in tables["organizations"]) + 1, now)
        tables["organizations"].append(new)
        tables["projects"][str(new["id"])] = [project(rng, new["id"], max(ids, default=0) + 1, now)]
