"""CI analytics: organizations, suites, pipelines, a token and builds."""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from platform_assets.sandbox.data.words import NAMES, before, email, iso, some_text, some_uuid

Record = dict[str, Any]
Tables = dict[str, Any]

SLUGS = ("acme", "globex", "initech", "umbrella-labs", "no-suites", "no-pipelines")
FINAL = ("passed", "passed", "passed", "passed", "failed", "canceled", "skipped")


def organization(rng: random.Random, slug: str, created: datetime) -> Record:
    url = f"https://api.example.com/v2/organizations/{slug}"
    return {
        "id": some_uuid(rng),
        "graphql_id": f"T3Jn{rng.getrandbits(48):012x}",
        "url": url,
        "web_url": f"https://ci.example.com/{slug}",
        "name": slug.replace("-", " ").title(),
        "slug": slug,
        "pipelines_url": f"{url}/pipelines",
        "agents_url": f"{url}/agents",
        "emojis_url": f"{url}/emojis",
        "created_at": iso(created),
    }


def suite(rng: random.Random, organization_id: str, number: int) -> Record:
    return {
        "id": some_uuid(rng),
        "graphql_id": f"U3Vp{rng.getrandbits(48):012x}",
        "organization_id": organization_id,
        "slug": f"suite-{number}",
        "name": f"Suite {number} 🍋",
        "url": f"https://api.example.com/suites/{number}",
        "web_url": f"https://ci.example.com/suites/{number}",
        "default_branch": "main",
        "application_name": rng.choice(["Shop", "Billing", None]),
        "color": "#FFF700",
        "emoji": "🍋",
        "oidc_policy": {"iss": "x"} if number % 11 == 0 else None,
    }


def pipeline(rng: random.Random, slug: str, number: int, now: datetime) -> Record:
    created = before(rng, now, 900)
    archived = created + timedelta(days=200)
    return {
        "id": some_uuid(rng),
        "graphql_id": f"UGlw{rng.getrandbits(48):012x}",
        "url": f"https://api.example.com/v2/organizations/{slug}/pipelines/p-{number}",
        "web_url": f"https://ci.example.com/{slug}/p-{number}",
        "name": f"Pipeline {number}",
        "slug": f"p-{number}",
        "repository": f"git@git.example.com:{slug}/repo-{number}.git",
        "branch_configuration": None,
        "default_branch": "main",
        "provider": {"id": "git", "webhook_url": "", "settings": {"build_pull_requests": True, "trigger_mode": "code"}},
        "skip_queued_branch_builds": number % 2 == 0,
        "cancel_running_branch_builds": False,
        "builds_url": f"https://api.example.com/v2/organizations/{slug}/pipelines/p-{number}/builds",
        "badge_url": "https://badge.example.com/1.svg",
        "created_by": {"id": some_uuid(rng), "name": rng.choice(NAMES), "email": email(rng)},
        "created_at": created.strftime("%Y-%m-%d %H:%M:%S UTC") if number % 3 == 0 else iso(created),
        "archived_at": iso(archived) if number % 13 == 0 and archived <= now else None,
        "scheduled_builds_count": 0,
        "running_builds_count": rng.randrange(3),
        "waiting_jobs_count": 0,
        "visibility": "private",
        "steps": [{"type": "script", "name": "Test", "command": "make test", "agent_query_rules": []}],
        "env": {},
    }


def commit(owner: Record, number: int) -> str:
    """A build; some builds of a pipeline share a commit, as retries do."""
    shared = uuid.uuid5(uuid.NAMESPACE_URL, f"{owner['url']}/{number % 9}")
    return f"{shared.hex}00000000"


def build(rng: random.Random, number: int, created: datetime, pipelines: list[Record], now: datetime) -> Record:
    age = now - created
    unfinished = age < timedelta(hours=6) or (number % 97 == 0 and age < timedelta(days=5))
    started = min(created + timedelta(seconds=rng.randrange(5, 300)), now)
    finished = started + timedelta(seconds=rng.randrange(30, 3600))
    owner = rng.choice(pipelines)
    state = rng.choice(("running", "scheduled", "blocked")) if unfinished else rng.choice(FINAL)
    return {
        "id": some_uuid(rng),
        "graphql_id": f"QnVp{rng.getrandbits(48):012x}",
        "url": f"{owner['builds_url']}/{number}",
        "web_url": f"{owner['web_url']}/builds/{number}",
        "number": number,
        "state": state,
        "cancel_reason": None,
        "blocked": state == "blocked",
        "message": some_text(rng),
        "commit": commit(owner, number),
        "branch": rng.choice(["main", "feature/x", "fix/ünïcode"]),
        "env": {"CI": "true"} if number % 5 == 0 else {},
        "source": rng.choice(["webhook", "api", "ui", "schedule"]),
        "creator": None if number % 7 == 0 else {"id": some_uuid(rng), "name": rng.choice(NAMES), "email": email(rng)},
        "jobs": [
            {
                "id": some_uuid(rng),
                "type": "script",
                "name": "RSpec",
                "state": state,
                "exit_status": 0,
                "retried": False,
            }
            for _ in range(rng.randrange(3))
        ],
        "created_at": iso(created),
        "scheduled_at": iso(created),
        "started_at": iso(started) if state != "scheduled" else None,
        "failing_at": None,
        "finished_at": None if unfinished else iso(finished),
        "meta_data": {},
        "pull_request": {"id": str(number)} if number % 4 == 0 else {},
        "merge_queue": None,
        "rebuilt_from": None,
        "pipeline": {"id": owner["id"], "slug": owner["slug"]},
    }


def create(rng: random.Random, now: datetime) -> Tables:
    organizations = [organization(rng, slug, before(rng, now, 1500)) for slug in SLUGS]
    sizes = (100, 37, 130, 12, 0, 25)
    suites = {
        o["slug"]: [suite(rng, o["id"], n) for n in range(size)] for o, size in zip(organizations, sizes, strict=True)
    }
    sizes = (45, 200, 3, 101, 8, 0)
    pipelines = {
        o["slug"]: [pipeline(rng, o["slug"], n, now) for n in range(size)]
        for o, size in zip(organizations, sizes, strict=True)
    }
    every = [one for group in pipelines.values() for one in group]
    builds = [build(rng, number, before(rng, now, 60), every, now) for number in range(1, 2451)]
    token = {
        "uuid": some_uuid(rng),
        "scopes": ["read_organizations", "read_pipelines", "read_builds", "read_suites"],
        "description": "Sandbox token",
        "created_at": "2025-07-16 06:07:42 UTC",
        "expires_at": None,
        "user": {"email": email(rng), "name": "Ada"},
    }
    return {
        "organizations": organizations,
        "analytics_organizations_suites": suites,
        "organizations_pipelines": pipelines,
        "access_token": [token],
        "builds": sorted(builds, key=lambda one: one["created_at"], reverse=True),
    }


def advance(tables: Tables, rng: random.Random, now: datetime, hours: float) -> None:
    """Finish and start builds, change a pipeline's counts, remove a suite, and add an organization now and then."""
    for one in tables["builds"]:
        if one["finished_at"] is None and rng.random() < 0.8:
            one.update(state=rng.choice(("passed", "failed")), blocked=False, finished_at=iso(now))
            one["started_at"] = one["started_at"] or one["created_at"]
    pipelines = [one for group in tables["organizations_pipelines"].values() for one in group]
    if pipelines:
        for one in rng.sample(pipelines, min(5, len(pipelines))):
            one["running_builds_count"] += 1
        number = max((one["number"] for one in tables["builds"]), default=0)
        for offset in range(1 + int(min(hours, 200))):
            tables["builds"].insert(0, build(rng, number + 1 + offset, before(rng, now, hours / 24), pipelines, now))
        tables["builds"].sort(key=lambda one: one["created_at"], reverse=True)
    suites = [group for group in tables["analytics_organizations_suites"].values() if len(group) > 1]
    if suites:
        rng.choice(suites).pop()
    if hours >= 24:
        slug = f"org-{rng.getrandbits(24):06x}"
        new = organization(rng, slug, now)
        tables["organizations"].append(new)
        tables["organizations_pipelines"][slug] = [pipeline(rng, slug, n, now) for n in range(3)]
        tables["analytics_organizations_suites"][slug] = [suite(rng, new["id"], 1)]
