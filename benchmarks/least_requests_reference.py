"""The fewest requests of a sync by the contract `reference`, per platform; see least_requests.py."""

from collections.abc import Callable
from datetime import timedelta

from benchmarks.least_requests import (
    CONFIRM,
    OVERLAP,
    SECOND_LOOK,
    SECOND_READ,
    Least,
    Moment,
    changed_parents,
    groups,
    moment,
    pages,
    second_looks,
    since,
    until_short,
)


def ci_analytics(now: Moment, before: Moment | None) -> Least:
    """Pages of 100 by number; a page with fewer is the last."""
    found = Least({"access_token": 1})
    for name in ("organizations", "analytics_organizations_suites", "organizations_pipelines"):
        parts = groups(now.tables[name])
        found.resources[name] = sum(until_short(len(rows), 100) for rows in parts.values())
        is_read_anew = before is None or now.tables[name] != before.tables[name]
        found.needed[name, CONFIRM] = sum(len(rows) >= 100 for rows in parts.values()) * is_read_anew
    # A build that runs is read again until it has ended: two hours at most, in the sandbox.
    recent = since(now.tables["builds"], before and before.tables["builds"], "created_at", timedelta(hours=2))
    found.resources["builds"] = until_short(len(recent), 100)
    found.needed["builds", CONFIRM] = 1
    second_looks(found, now, before)
    return found


def load_testing(now: Moment, before: Moment | None) -> Least:
    """Pages of 32 by number; how many a page may have is not specified."""
    found = Least({"organizations": 1, "tests": until_short(len(now.tables["tests"]), 32)})
    parts = now.tables["projects"]
    found.resources["projects"] = sum(until_short(len(rows), 32) for rows in parts.values())
    for name in ("projects", "tests"):
        counts = [until_short(len(rows), 32) for rows in groups(now.tables[name]).values()]
        found.needed[name, OVERLAP] = sum(-(-count // 5) for count in counts if count > 1)
        is_read_anew = before is None or now.tables[name] != before.tables[name]
        found.needed[name, CONFIRM] = len(groups(now.tables[name])) * is_read_anew
    second_looks(found, now, before)
    return found


def error_tracking(now: Moment, before: Moment | None) -> Least:
    """Opaque cursors; the server's pages have 5 projects, 100 events or releases, 50 issues."""
    found = Least({"project_detail": len(now.tables["projects"]), "projects": pages(len(now.tables["projects"]), 5)})
    for name, cursor, size in (("events", "dateCreated", 100), ("issues", "lastSeen", 50)):
        lists = {
            key: since(rows, before and before.tables[name].get(key), cursor, timedelta(0))
            for key, rows in now.tables[name].items()
        }
        counts = {key: pages(len(rows), size) for key, rows in lists.items()}
        found.resources[name] = sum(counts.values())
        found.needed[name, SECOND_READ] = sum(count for count in counts.values() if count > 1)
    releases = {slug: pages(len(rows), 100) for slug, rows in now.tables["releases"].items()}
    found.resources["releases"] = sum(releases.values())
    found.needed["releases", SECOND_READ] = sum(count for count in releases.values() if count > 1)
    found.needed["projects", SECOND_READ] = found.resources["projects"]
    second_looks(found, now, before)
    return found


def device_management(now: Moment, before: Moment | None) -> Least:
    """Pages of 20 by position; a page with fewer is the last. Nothing is filtered: every sync reads everything."""
    found = Least(dict.fromkeys(now.tables, 1))
    for name in ("organizations", "activities", "locations"):
        found.resources[name] = until_short(len(now.tables[name]), 20)
        found.needed[name, CONFIRM] = int(before is None or now.tables[name] != before.tables[name])
    second_looks(found, now, before)
    return found


def crm(now: Moment, before: Moment | None) -> Least:
    """Pages of 500; ten kinds of record by what was updated since, two lists per parent."""
    tables, old = now.tables, before.tables if before else {}
    found = Least({name: pages(len(rows), 500) for name, rows in tables.items() if isinstance(rows, list)})
    found.resources.pop("invisible", None)
    filtered = ("deals", "files", "filters", "notes", "activities", "persons", "pipelines", "products", "stages")
    for name in (*filtered, "users"):
        cursor = "modified" if name == "users" else "update_time"
        # Envelopes of records that are not visible come too.
        start = max((moment(row[cursor]) for row in old.get(name, ())), default=None)
        gone = [
            row
            for row in tables["invisible"]
            if row["item"] == name.removesuffix("s").replace("activitie", "activity")
            and (start is None or moment(row["update_time"]) >= start)
        ]
        found.resources[name] = pages(len(since(tables[name], old.get(name), cursor, timedelta(0))) + len(gone), 500)
    found.resources["mail_threads"] = sum(
        pages(sum(folder in row["folders"] for row in tables["mail_threads"]), 500)
        for folder in ("inbox", "drafts", "sent", "archive")
    )
    found.resources["mail"] = len(changed_parents(now, before, "mail_threads"))
    found.resources["deal_products"] = len(changed_parents(now, before, "deals"))
    second_looks(found, now, before, {name: "key" for name in tables if name.endswith("_fields")})
    for name in (*filtered, "users", "mail"):
        found.needed.pop((name, SECOND_LOOK), None)
    return found


REFERENCE_LEAST: dict[str, Callable[[Moment, Moment | None], Least]] = {
    "ci_analytics": ci_analytics,
    "load_testing": load_testing,
    "error_tracking": error_tracking,
    "device_management": device_management,
    "crm": crm,
}
