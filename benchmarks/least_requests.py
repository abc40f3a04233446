"""The fewest requests that a sync can do with, per contract and resource, counted from the sandbox's own records.

Independent of what reads them: the rows of each list as the server holds them, the contract's largest page, and the
contract's own word for a list's end. Each list counts as max(1, ceil(rows / page)), each parent where the API lists by
parent. Later syncs are counted from the records before and after, with the look-back that the README states.

What a reader has to ask beyond that, so that no row is lost, is counted as `needed`, by reason. It is not in the least.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from platform_assets.sandbox import FakeBackend

Record = dict[str, Any]

# Reasons for requests beyond the least.
CONFIRM = "a short last page is confirmed where a cut one would lose rows: no maximum or word of an end is given"
SECOND_LOOK = "rows are missing: a second read decides whether they were removed"
SECOND_READ = "pages by opaque cursors cannot overlap: a second read finds a row that moved between two requests"
OVERLAP = "pages by number overlap only if their size changes, which costs up to one page in five"
LOOK_UP = "the projects are listed again, as each list of tests needs one"


@dataclass
class Least:
    """Requests of one sync of one platform.

    Attributes:
        resources: resource -> fewest requests.
        account: requests that belong to no resource, by name (a token).
        needed: (resource, reason) -> requests beyond the least.
    """

    resources: dict[str, int] = field(default_factory=dict)
    account: dict[str, int] = field(default_factory=dict)
    needed: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.resources.values()) + sum(self.account.values())


@dataclass(frozen=True)
class Moment:
    """A platform's records at the start of a sync."""

    tables: Mapping[str, Any]
    now: datetime

    @classmethod
    def of(cls, backend: FakeBackend, platform: str) -> "Moment":
        with backend.lock:
            return cls(deepcopy(backend.tables[platform]), backend.now)


def pages(rows: int, size: int) -> int:
    """Requests for a list whose answers say whether more follows."""
    return max(1, -(-rows // size))


def until_short(rows: int, size: int) -> int:
    """Requests for a list that ends with a page of fewer rows than `size`."""
    return rows // size + 1


def until_empty(rows: int, size: int) -> int:
    """Requests for a list that ends with an empty page, since no largest page is documented."""
    return pages(rows, size) + (rows > 0)


def moment(value: Any) -> datetime:
    """A time as the sandbox's records have it: ISO 8601, `YYYY-MM-DD HH:MM:SS`, epoch seconds; UTC."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def since(rows: Iterable[Record], before: Iterable[Record] | None, name: str, lag: timedelta) -> list[Record]:
    """The rows that a filter on `name` gives: from a look-back before the newest that the last sync has seen."""
    seen = [moment(row[name]) for row in before or () if row.get(name)]
    if not seen:
        return list(rows)
    start = (max(seen) - lag).replace(microsecond=0)
    return [row for row in rows if row.get(name) and moment(row[name]) >= start]


def groups(table: Any) -> dict[Any, list[Record]]:
    """The rows by parent; a list without parents is one group."""
    return {"": table} if isinstance(table, list) else table


def removed(now: Moment, before: Moment | None, resource: str, key: str = "id") -> bool:
    """Whether rows that the last sync has seen are gone, so that the list has to be read twice."""
    if before is None:
        return False
    kept = {row.get(key) for rows in groups(now.tables[resource]).values() for row in rows}
    return any(row.get(key) not in kept for rows in groups(before.tables[resource]).values() for row in rows)


def changed_parents(now: Moment, before: Moment | None, parents: str) -> list[Record]:
    """Parents that are new or changed since the last sync."""
    known = {} if before is None else {row["id"]: row for row in before.tables[parents]}
    return [row for row in now.tables[parents] if known.get(row["id"]) != row]


def second_looks(found: Least, now: Moment, before: Moment | None, keys: Mapping[str, str] | None = None) -> None:
    """Count another read of each resource that lacks rows of before."""
    for name, requests in found.resources.items():
        if name in now.tables and removed(now, before, name, (keys or {}).get(name, "id")):
            found.needed[name, SECOND_LOOK] += requests


def buildkite(now: Moment, before: Moment | None) -> Least:
    rows, seen = now.tables["builds"], before and before.tables["builds"]
    lag = timedelta(minutes=10)
    unfinished = ("creating", "scheduled", "running", "failing", "blocked", "canceling")
    if seen is None:
        # The list reaches down to 1,000 builds; a 400 is the only word for that.
        builds = pages(len(rows), 100) + (len(rows) - 1) // 1000
    else:
        start = max(moment(row["created_at"]) for row in seen) - lag
        recent = since(rows, seen, "created_at", lag)
        ended = [row for row in rows if row["finished_at"] and moment(row["finished_at"]) >= start]
        left = [row for row in recent if row["state"] in ("skipped", "not_run")]
        open_ones = [row for row in rows if row["state"] in unfinished]
        builds = sum(pages(len(part), 100) for part in (recent, ended, open_ones, left))
    found = Least({"access_token": 1, "builds": builds, "organizations": pages(len(now.tables["organizations"]), 100)})
    for name in ("analytics_organizations_suites", "organizations_pipelines"):
        found.resources[name] = sum(pages(len(part), 100) for part in now.tables[name].values())
    second_looks(found, now, before)
    found.needed.pop(("builds", SECOND_LOOK), None)
    return found


def k6_legacy(now: Moment, before: Moment | None) -> Least:
    projects = [row for part in now.tables["projects"].values() for row in part]
    tests = Counter(row["project_id"] for row in now.tables["tests"])
    found = Least(
        {
            "organizations": 1,
            "projects": len(now.tables["organizations"]),
            "tests": sum(pages(tests[project["id"]], 100) for project in projects),
        }
    )
    second_looks(found, now, before)
    found.needed["tests", LOOK_UP] = 1 + len(now.tables["organizations"])
    return found


def grafana_k6(now: Moment, before: Moment | None) -> Least:
    projects = sum(map(len, now.tables["projects"].values()))
    found = Least({"projects": pages(projects, 1000), "tests": pages(len(now.tables["tests"]), 1000)})
    second_looks(found, now, before)
    return found


def sentry(now: Moment, before: Moment | None) -> Least:
    # The sandbox filters 200 rows out after paging, in every list of two rows or more: they fill pages all the same.
    def cut(rows: int) -> int:
        return pages(rows + 200 * (rows > 1), 100)

    def in_projects(name: str, field_name: str) -> int:
        return sum(
            cut(len(since(rows, before and before.tables[name].get(key), field_name, timedelta(days=1))))
            for key, rows in now.tables[name].items()
        )

    organizations = {row["organization"]["slug"] for row in now.tables["projects"]}
    releases = {slug: cut(len(rows)) for slug, rows in now.tables["releases"].items()}
    found = Least(
        {
            "projects": len(organizations),
            "events": in_projects("events", "dateCreated"),
            "issues": in_projects("issues", "lastSeen"),
            "releases": sum(releases.values()),
            "project_detail": len(now.tables["projects"]),
        }
    )
    second_looks(found, now, before)
    for name in ("events", "issues"):
        found.needed.pop((name, SECOND_LOOK), None)
    for slug, requests in releases.items():
        is_new = before is None or now.tables["releases"][slug] != before.tables["releases"].get(slug)
        found.needed["releases", SECOND_READ] += requests * is_new
    return found


def ninjaone(now: Moment, before: Moment | None) -> Least:
    sizes = {name: len(rows) for name, rows in now.tables.items()}
    found = Least(dict.fromkeys(sizes, 1), account={"access token": 1})
    for name in ("organizations", "locations"):
        found.resources[name] = until_empty(sizes[name], 1000)
    recent = since(now.tables["activities"], before and before.tables["activities"], "activityTime", timedelta(hours=1))
    found.resources["activities"] = pages(len(recent), 1000)
    if before is None:
        found.needed["activities", CONFIRM] = 1
    second_looks(found, now, before)
    found.needed.pop(("activities", SECOND_LOOK), None)
    return found


def pipedrive(now: Moment, before: Moment | None) -> Least:
    tables, old = now.tables, before.tables if before else {}
    lag = timedelta(minutes=5)

    def recent(name: str, keep: Callable[[Record], bool] = lambda row: True) -> list[Record]:
        return [row for row in since(tables[name], old.get(name), "update_time", lag) if keep(row)]

    def kept(row: Record) -> bool:
        return not row["is_deleted"] or moment(row["update_time"]) > now.now - timedelta(days=30)

    found = Least({name: pages(len(rows), 500) for name, rows in tables.items() if isinstance(rows, list)})
    found.resources.pop("invisible", None)
    for name in ("activities", "persons", "organizations", "products", "notes"):
        found.resources[name] = pages(len(recent(name)), 500)
    found.resources["files"] = pages(len(recent("files")), 100)
    # Archived ones have a list of their own.
    for name, is_served in (("deals", kept), ("leads", lambda row: True)):
        archived = [row["is_archived"] for row in recent(name, is_served)]
        found.resources[name] = pages(archived.count(False), 500) + pages(archived.count(True), 500)
    # Whether more threads follow is not said, nor how many a page has at most.
    found.resources["mail_threads"] = sum(
        until_empty(sum(folder in row["folders"] for row in tables["mail_threads"]), 500)
        for folder in ("inbox", "drafts", "sent", "archive")
    )
    # Two metrics, active and not.
    found.resources["goals"] = 4
    found.resources["mail"] = len(changed_parents(now, before, "mail_threads"))
    deals = [row for row in changed_parents(now, before, "deals") if kept(row)]
    found.resources["deal_products"] = -(-len(deals) // 100)
    keys = {name: "key" for name in tables if name.endswith("_fields")}
    second_looks(found, now, before, keys)
    for name in ("deal_products", "deals", "leads", "mail"):
        found.needed.pop((name, SECOND_LOOK), None)
    if before is not None and deals:
        # A deal whose lines are fewer is read again.
        found.needed["deal_products", SECOND_LOOK] = found.resources["deal_products"] + 1
    return found
