"""Error tracking: projects of three organizations, their events, issues and releases."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from platform_assets.sandbox.data.words import before, email, iso, some_text, some_uuid

Record = dict[str, Any]
Tables = dict[str, Any]

# The same slug in two organizations: a child is its organization's, not its slug's.
PROJECTS = {
    "acme": ("web", "api", "mobile", "quiet"),
    "globex": ("web", "worker", "billing", "docs"),
    "initech": ("tps-reports", "printer", "legacy", "fax"),
}
EVENTS = (300, 100, 450, 0, 250, 130, 99, 1, 200, 201, 170, 120)
ISSUES = (100, 40, 120, 0, 55, 31, 20, 1, 60, 45, 30, 25)


def project(rng: random.Random, organization: Record, slug: str, number: int, now: datetime) -> Record:
    return {
        "id": str(6_712_000 + number),
        "slug": slug,
        "name": slug,
        "platform": rng.choice(["python", "javascript-react", None]),
        "platforms": [],
        "dateCreated": iso(created := before(rng, now, 900), fraction="microseconds"),
        "firstEvent": iso(max(created, before(rng, now, 800)), fraction="microseconds"),
        "firstTransactionEvent": False,
        "isBookmarked": False,
        "isMember": True,
        "hasAccess": True,
        "hasReplays": False,
        "features": ["alert-filters", "minidump"],
        "environments": ["production"],
        "team": {"id": "2", "slug": "pa", "name": "PA"},
        "teams": [{"id": "2", "slug": "pa", "name": "PA"}],
        "latestRelease": None,
        "organization": organization,
    }


def detail(one: Record) -> Record:
    kept = ("id", "slug", "name", "platform", "dateCreated", "team", "organization")
    return {
        **{name: one[name] for name in kept},
        "status": "active",
        "isPublic": False,
        "color": "#803fbf",
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": None},
        "options": {"sentry:token": "sandbox-secret-option", "sentry:option-epoch": 7, "filters:releases": ""},
        "digestsMinDelay": 300,
        "digestsMaxDelay": 1800,
        "allowedDomains": ["*"],
        "resolveAge": 0,
        "dataScrubber": True,
        "sensitiveFields": [],
        "securityToken": "sandbox-secret-token",
        "verifySSL": False,
        "latestRelease": {"version": "checkout-app@3.2"},
    }


def event(rng: random.Random, one: Record, created: datetime, issues: Sequence[Record]) -> Record:
    """An event of one of the project's `issues`."""
    identity = f"{rng.getrandbits(128):032x}"
    return {
        "id": identity,
        "eventID": identity,
        "groupID": issues[rng.randrange(1, 900) % len(issues)]["id"],
        "projectID": one["id"],
        "event.type": rng.choice(["error", "default"]),
        "title": some_text(rng) or "Error",
        "message": "",
        "platform": "python",
        "culprit": "/books/new/",
        "location": "example.py:123",
        "crashFile": None,
        "dateCreated": iso(created, fraction="seconds"),
        "user": {"id": "7", "email": email(rng)} if rng.random() < 0.3 else None,
        "metadata": {"type": "ExampleException", "value": "…"},
        "tags": [
            {"key": "environment", "value": "production"},
            {"key": "release", "value": f"checkout-app@{created:%G.%V}"},
        ],
    }


def issue(rng: random.Random, one: Record, number: int, now: datetime) -> Record:
    first = before(rng, now, 200)
    last = first + (now - first) * rng.random()
    return {
        "id": str(number),
        "shortId": f"{one['slug'].upper()}-{number}",
        "title": some_text(rng) or "Error",
        "culprit": "raven.scripts.runner in main",
        "level": rng.choice(["error", "warning"]),
        "status": rng.choice(["unresolved", "resolved", "ignored"]),
        "statusDetails": {},
        "type": "default",
        "platform": "python",
        "count": str(rng.randrange(1, 900)),
        "userCount": rng.randrange(50),
        "firstSeen": iso(first, fraction="seconds"),
        "lastSeen": iso(last, fraction="seconds"),
        "permalink": f"https://errors.example.com/issues/{number}/",
        "project": {"id": one["id"], "name": one["name"], "slug": one["slug"]},
        "metadata": {"title": "x"},
        "assignedTo": None,
        "isBookmarked": False,
        "isPublic": False,
        "hasSeen": False,
        "annotations": [],
        "numComments": 0,
        "stats": {"24h": [[1541455200, 473], [1541458800, 914]]},
    }


def release(rng: random.Random, number: int, now: datetime) -> Record:
    version = f"checkout-app@{number // 10}.{number % 10}/β"
    return {
        "id": 289_000_000 + number,
        "version": version,
        "shortVersion": version,
        "status": "archived" if number % 20 == 3 else "open",
        "versionInfo": {"package": "checkout-app", "version": {"raw": "3.2", "major": 3}, "buildHash": None},
        "ref": None,
        "url": None,
        "dateReleased": None,
        "dateCreated": iso(before(rng, now, 400), fraction="microseconds"),
        "data": {},
        "newGroups": 0,
        "owner": None,
        "commitCount": rng.randrange(20),
        "deployCount": 0,
        "lastCommit": None,
        "lastDeploy": None,
        "authors": [],
        "projects": [{"id": 5942472, "slug": "web", "name": "web", "newGroups": 0, "platforms": ["python"]}],
        "firstEvent": None,
        "lastEvent": None,
        "currentProjectMeta": {},
        "userAgent": None,
    }


def create(rng: random.Random, now: datetime) -> Tables:
    organizations = {
        slug: {"id": str(985_000 + n), "slug": slug, "name": slug.title()} for n, slug in enumerate(PROJECTS)
    }
    projects = [
        project(rng, organizations[org], slug, number, now)
        for number, (org, slug) in enumerate((org, slug) for org, slugs in PROJECTS.items() for slug in slugs)
    ]
    events: dict[tuple[str, str], list[Record]] = {}
    issues: dict[tuple[str, str], list[Record]] = {}
    number = 1
    for one, event_count, issue_count in zip(projects, EVENTS, ISSUES, strict=True):
        key = (one["organization"]["slug"], one["slug"])
        issues[key] = [issue(rng, one, number + offset, now) for offset in range(issue_count)]
        events[key] = [event(rng, one, before(rng, now, 80), issues[key]) for _ in range(event_count)]
        number += issue_count
    sizes = (130, 100, 7)
    releases = {
        slug: [release(rng, 1000 * index + n, now) for n in range(size)]
        for index, (slug, size) in enumerate(zip(organizations, sizes, strict=True))
    }
    return {
        "projects": projects,
        "events": events,
        "issues": issues,
        "releases": releases,
        "project_detail": {(one["organization"]["slug"], one["slug"]): [detail(one)] for one in projects},
    }


def advance(tables: Tables, rng: random.Random, now: datetime, hours: float) -> None:
    """Add events, update issues, add a release, and after a day a project."""
    projects = tables["projects"]
    for one in projects:
        key = (one["organization"]["slug"], one["slug"])
        for _ in range(rng.randrange(4) if tables["issues"][key] else 0):
            tables["events"][key].append(event(rng, one, before(rng, now, hours / 24), tables["issues"][key]))
        for seen in rng.sample(tables["issues"][key], min(2, len(tables["issues"][key]))):
            seen.update(lastSeen=iso(now, fraction="seconds"), count=str(int(seen["count"]) + 1), status="unresolved")
    for slug, group in tables["releases"].items():
        if group:
            group.append(release(rng, 100_000 + rng.randrange(10**6), now))
            group[0]["newGroups"] += 1
        del slug
    if hours >= 24 and projects:
        organization = projects[0]["organization"]
        number = 900_000 + rng.randrange(10**5)
        new = project(rng, organization, f"p-{some_uuid(rng)[:8]}", number, now)
        key = (organization["slug"], new["slug"])
        projects.append(new)
        tables["issues"][key] = [issue(rng, new, number, now)]
        tables["events"][key] = [event(rng, new, now - timedelta(days=40), tables["issues"][key])]
        tables["project_detail"][key] = [detail(new)]
