"""Records as the platforms serve them, for stub APIs."""

from datetime import datetime
from typing import Any

from tests.servers.stub_api import StubApi, listed

Row = dict[str, Any]
ROLES = "/v2/roles"


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def deal(number: int, when: datetime | str, **more: Any) -> Row:
    time = when if isinstance(when, str) else moment(when)
    return {"id": number, "title": f"deal {number}", "update_time": time, **more}


def with_organizations(api: StubApi, slugs: list[str]) -> dict[str, Row]:
    organizations = {slug: {"id": f"id-{slug}", "slug": slug, "created_at": "2026-01-01T00:00:00Z"} for slug in slugs}
    api.routes["/v2/organizations"] = lambda query: listed(list(organizations.values()))(query)
    for slug in slugs:
        api.routes[f"/v2/organizations/{slug}/pipelines"] = listed([{"id": f"{slug}-1"}])
    return organizations


def pipelines(slug: str, count: int) -> list[Row]:
    return [{"id": f"{slug}-{number}"} for number in range(count)]


def sentry_project(id: str, slug: str, organization: str = "1") -> Row:
    return {
        "id": id,
        "slug": slug,
        "dateCreated": "2026-01-01T00:00:00Z",
        "organization": {"id": organization, "slug": "acme"},
    }
