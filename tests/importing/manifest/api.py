"""A vendor's API with every way of paging, credentials, filters and faults that the manifests of `cases` speak.

What does not speak the contract is refused with 400 or 401, so that a wrong request is noticed.
"""

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.importing.manifest.bodies import written
from tests.importing.manifest.reports import SHOPS, Reports
from tests.servers.http_server import HttpServer, Query, Reply, Request

Record = dict[str, Any]

ITEMS: list[Record] = [
    {
        "id": number,
        "name": f"Item {number} ü",
        "big": 2**60 + number,
        "price": {"amount": number * 1.5, "currency": "EUR"},
        "tags": ["a", "b"][: number % 3],
        "internal": {"note": "secret", "rank": number},
        "deleted": number % 7 == 0,
        "note": None if number % 2 else "even",
        "updated_at": f"2026-0{1 + number % 5}-{1 + number % 27:02}T08:00:00Z",
    }
    for number in range(1, 24)
]
ORGS: list[Record] = [
    {"slug": slug, "meta": {"code": slug.upper()}, "uris": {"projects": f"/v1/orgs/{slug}/projects"}}
    for slug in ("acme/eu", "blue", "core")
]
STAMPED: list[Record] = [
    {"id": one["id"], "stamp": int(datetime.fromisoformat(one["updated_at"]).timestamp())} for one in ITEMS
]
KINDS = ("new", "old")
TOKEN, KEY, USER = "t0ken", "k3y", "ann"
PAGE = 10
# A window that the server takes, in days.
_WIDEST = 32


def projects_of(slug: str) -> list[Record]:
    return [{"id": 10 * (1 + [one["slug"] for one in ORGS].index(slug)) + number, "org": slug} for number in range(2)]


def tasks_of(slug: str, project: int) -> list[Record]:
    return [{"id": f"{slug}-{project}-{number}", "done": number == 1} for number in range(1 + project % 3)]


def prices_of(slug: str, kind: str) -> list[Record]:
    return [{"id": f"{slug}-{kind}-{number}", "kind": kind} for number in range(2)]


class VendorApi(HttpServer):
    """Counts what it was asked, for faults that are over after the first requests."""

    def __init__(self) -> None:
        super().__init__(self._answered)
        self.seen: dict[str, int] = {}
        self.reports = Reports()

    def _answered(self, request: Request) -> Reply:
        try:
            return self._answer(request)
        except (KeyError, ValueError, TypeError) as error:
            return Reply({"error": f"no such request: {error!r}"}, 400)

    def _answer(self, request: Request) -> Reply:
        self.seen[request.path] = self.seen.get(request.path, 0) + 1
        query = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
        match request.path.strip("/").split("/"):
            case ["v1", "paged", kind]:
                return self._paged(kind, query, request)
            case ["v1", "auth", "in_form"]:
                is_right = dict(parse_qsl(request.content.decode())).get("apiKey") == KEY
                return Reply({"items": ITEMS}) if is_right else Reply({}, 401)
            case ["v1", "auth", kind]:
                return _guarded(kind, query, request)
            case ["v1", "old_login"]:
                is_known = json.loads(request.content) == {"username": USER, "password": KEY}
                return Reply({"id": TOKEN}) if is_known else Reply({}, 401)
            case ["paged", "token"]:
                return _ticket(request)
            case ["token"] | ["v1", "login"]:
                return _token(request)
            case ["v1", "orgs"]:
                return Reply({"orgs": ORGS})
            case ["v1", "orgs", *_]:
                return _of_orgs(request.path)
            case ["v1", "prices"]:
                return Reply(prices_of(query["org"], query["kind"]))
            case ["v1", "bodied"]:
                asked = json.loads(request.content)
                return Reply(prices_of(asked["filter"]["org"], request.headers["X-Kind"]))
            case ["paged", "login"]:
                return _login_of_a_client(request)
            case ["v1", "properties"]:
                return Reply([{"key": name} for name in ("id", "price", "big", "tags")])
            case ["v1", "portioned"]:
                return _portioned(query)
            case ["v1", "grouped"]:
                return Reply(_of_group(query, request))
            case ["v1", "empties"]:
                return Reply({"items": ITEMS}) if _has_the_empties(request) else Reply({"error": request.target}, 400)
            case ["v1", "filtered", kind]:
                return _filtered(kind, query, request)
            case ["v1", "faulty", kind]:
                return self._faulty(kind, request)
            case ["v1", "written", kind]:
                return written(kind)
            case ["v1", "shaped", kind]:
                return _shaped(kind)
            case ["v1", "report_shops"]:
                return Reply(SHOPS)
            case ["v1", "reports", *place]:
                return self.reports.answer(place, request, self.url)
        return Reply({"error": "no such path"}, 404)

    def _paged(self, kind: str, query: Query, request: Request) -> Reply:
        match kind:
            case "numbered" | "zero":
                size, page = int(query["per_page"]), int(query.get("page", kind == "numbered"))
                start = (page - (kind == "numbered")) * size
                return Reply({"items": ITEMS[max(start, 0) : start + size]})
            case "unsized":
                start = (int(query.get("page", 1)) - 1) * PAGE
                return Reply({"items": ITEMS[start : start + PAGE]})
            case "offset":
                start, size = int(query.get("offset", 0)), int(query["limit"])
                return Reply({"items": ITEMS[start : start + size]})
            case "slice":
                start, size = map(int, query["limit"].split(","))
                return Reply({"items": ITEMS[start : start + size]})
            case "asked":
                found = re.fullmatch(r"FROM paged START (\d+) MAX 10", query["q"])
                assert found is not None
                start = int(found[1]) - 1
                return Reply({"items": ITEMS[start : start + 10]})
            case "listed":
                start = (json.loads(request.content)["at"]["page"] - 1) * PAGE
                return Reply({"items": ITEMS[start : start + PAGE]})
            case "skipped":
                start = int(query.get("skip", 0))
                return Reply({"items": ITEMS[start : start + PAGE]})
            case "body":
                asked = json.loads(request.content)["page"]
                start, size = int(asked.get("start", 0)), int(asked["size"])
                return Reply({"items": ITEMS[start : start + size]})
            case "form":
                asked = dict(parse_qsl(request.content.decode()))
                start = (int(asked.get("page", 1)) - 1) * int(asked["size"])
                return Reply({"items": ITEMS[start : start + int(asked["size"])], "kind": asked["kind"]})
            case "graphql":
                asked = json.loads(request.content)
                assert "items" in asked["query"]
                return self._from(
                    int(asked.get("variables", {}).get("after") or 0), lambda at: {"cursor": at and str(at)}
                )
            case "after":
                last, size = int(query.get("after_id", 0)), int(query["limit"])
                return Reply({"items": [one for one in ITEMS if one["id"] > last][:size]})
            case "cursor":
                return self._from(int(query.get("cursor", 0)), lambda at: {"next": {"cursor": at and str(at)}})
            case "more":
                start = int(query.get("cursor", 0))
                return Reply(
                    {"items": ITEMS[start : start + PAGE], "more": start + PAGE < len(ITEMS), "at": str(start + PAGE)}
                )
            case "counted":
                start = int(query.get("start", 0))
                return Reply({"items": ITEMS[start : start + PAGE], "meta": {"start": start}})
            case "header":
                start = int(query.get("cursor", 0))
                headers = {"X-Next": str(start + PAGE)} if start + PAGE < len(ITEMS) else {}
                return Reply({"items": ITEMS[start : start + PAGE]}, headers=headers)
            case "link" | "relative":
                base = self.url if kind == "link" else ""
                return self._from(
                    int(query.get("at", 0)),
                    lambda at: {"links": {"next": at and f"{base}/v1/paged/{kind}?at={at}"}},
                )
            case "hal":
                start = int(query.get("at", 0))
                more = {"next": {"href": f"{self.url}/v1/paged/hal?at={start + PAGE}"}}
                return Reply({"items": ITEMS[start : start + PAGE], "_links": more if start + PAGE < 23 else {}})
            case "link_header":
                start = int(query.get("at", 0))
                link = f'<{self.url}/v1/paged/link_header?at={start + PAGE}>; rel="next"'
                return Reply(
                    {"items": ITEMS[start : start + PAGE]}, headers={"Link": link} if start + PAGE < len(ITEMS) else {}
                )
        return Reply({"error": "no such way of paging"}, 404)

    def _from(self, start: int, following: Any) -> Reply:
        """`following` makes of the next position, or of None, what the body says of it."""
        more = following(start + PAGE if start + PAGE < len(ITEMS) else None)
        return Reply({"items": ITEMS[start : start + PAGE], **more})

    def _faulty(self, kind: str, request: Request) -> Reply:
        first = self.seen[request.path] <= 2
        match kind:
            case "server" if first:
                return Reply({"error": "down"}, 503)
            case "text" if first:
                return Reply({"message": "please slow down"}, 400)
            case "predicate" if first:
                return Reply({"status": "pending"}, 202)
            case "limited" if first:
                return Reply({"message": "too many"}, 429, {"X-Wait": "0"})
            case "until" if first:
                return Reply({"message": "too many"}, 429, {"X-Until": str(int(datetime.now(UTC).timestamp()))})
            case "ignored":
                return Reply({"code": "not_enabled"}, 422)
        return Reply({"items": ITEMS})


def _guarded(kind: str, query: Query, request: Request) -> Reply:
    headers = request.headers
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    only_key = base64.b64encode(f"{KEY}:".encode()).decode()
    support = base64.b64encode(f"{USER}/token:{KEY}".encode()).decode()
    is_right = {
        "bearer": headers.get("Authorization") == f"Bearer {KEY}",
        "basic": headers.get("Authorization") == f"Basic {basic}",
        "key_as_user": headers.get("Authorization") == f"Basic {only_key}",
        "header": headers.get("X-Api-Key") == KEY,
        "prefixed": headers.get("Authorization") == f"Token {KEY}",
        "query": query.get("api_key") == KEY,
        "bought": headers.get("Authorization") == f"Bearer {TOKEN}",
        "session": headers.get("X-Session") == TOKEN,
        "two_headers": headers.get("X-Id") == USER and headers.get("X-Key") == KEY,
        "bearer_and_header": headers.get("Authorization") == f"Bearer {KEY}" and headers.get("X-Key") == KEY,
        "signed": headers.get("Authorization") == f'OAuth user="{USER}", token="{KEY}"',
        "support": headers.get("Authorization") == f"Basic {support}",
        "in_body": bool(request.content) and json.loads(request.content) == {"login": {"key": KEY}, "id": USER, "n": 1},
        "none": headers.get("Authorization") is None,
    }[kind]
    return Reply({"items": ITEMS}) if is_right else Reply({"error": "who are you?"}, 401)


def _token(request: Request) -> Reply:
    if request.path == "/v1/login":
        asked = json.loads(request.content)
        return Reply({"session": {"id": TOKEN}}) if asked == {"user": USER, "password": KEY} else Reply({}, 401)
    asked = dict(parse_qsl(request.content.decode()))
    is_client = asked.get("client_id") == USER and asked.get("client_secret") == KEY
    is_granted = asked.get("grant_type") == "client_credentials" or asked.get("refresh_token") == "r"
    return Reply({"access_token": TOKEN, "expires_in": 3600}) if is_client and is_granted else Reply({}, 401)


def _login_of_a_client(request: Request) -> Reply:
    """A login by a user whose client proves itself, too."""
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    asked = json.loads(request.content)
    is_right = asked == {"username": USER, "password": KEY, "grant_type": "password"}
    is_known = request.headers.get("Authorization") == f"Basic {basic}" and request.headers.get("X-Tenant") == "t"
    return Reply({"access_token": TOKEN}) if is_right and is_known else Reply({}, 401)


def _ticket(request: Request) -> Reply:
    """A token under other names, which says when it is over."""
    asked = dict(parse_qsl(request.content.decode()))
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    wanted = {"grant_type": "client_credentials", "tenant": f"x-{KEY}", "version": "2"}
    if "X-Tenant" in request.headers:
        is_right = asked == {**wanted, "app": USER, "code": KEY} and request.headers["X-Tenant"] == f"t-{KEY}"
    else:
        is_right = asked == wanted and request.headers.get("Authorization") == f"Basic {basic}"
    return Reply({"ticket": TOKEN, "expires_at": "2999-01-01T00:00:00Z"}) if is_right else Reply({}, 401)


def _portioned(query: Query) -> Reply:
    """A page with the fields that are asked for: no more than three, in no more than 30 letters."""
    fields, start = query["fields"].split(","), (int(query["page"]) - 1) * PAGE
    if len(fields) > 3 or len(query["fields"]) > 30:
        return Reply({"error": "too many fields"}, 400)
    return Reply({"items": [{name: one[name] for name in fields} for one in ITEMS[start : start + PAGE]]})


def _of_group(query: Query, request: Request) -> list[Record]:
    """The projects of several organizations, which are asked for in one of three ways."""
    if request.content:
        slugs = json.loads(request.content)["where"]["slugs"]
    elif "q" in query:
        slugs = query["q"].removeprefix("org in (").removesuffix(")").split("|")
    else:
        slugs = query["slugs"].split(",")
    assert isinstance(slugs, list) and 0 < len(slugs) <= 2
    return [{**one, "slug": slug} for slug in slugs for one in projects_of(slug)]


def _has_the_empties(request: Request) -> bool:
    """Whether a request has exactly those empty values that the CDK sends."""
    if not request.content:
        return request.target.partition("?")[2] == "category=&kind=new"
    if request.content.startswith(b"{"):
        return json.loads(request.content) == {"where": {"kind": "new"}, "of": {}, "all": [None, None, "a"]}
    return request.content == b"kind=new"


def _of_orgs(path: str) -> Reply:
    inner = path.removeprefix("/v1/orgs/")
    for org in ORGS:
        slug = org["slug"]
        if inner == f"{slug}/projects":
            return Reply(projects_of(slug))
        if found := re.fullmatch(re.escape(slug) + r"/projects/(\d+)/tasks", inner):
            return Reply(tasks_of(slug, int(found[1])))
        if found := re.fullmatch(re.escape(slug) + r"/prices/(\w+)", inner):
            return Reply(prices_of(slug, found[1]))
    return Reply({"error": "no such org"}, 404)


def _filtered(kind: str, query: Query, request: Request) -> Reply:
    match kind:
        case "since":
            start, end = query["since"], "9"
        case "days":
            dated = [{**one, "day": one["updated_at"][:10]} for one in ITEMS]
            return Reply({"items": [one for one in dated if one["day"] >= query["since"]]})
        case "seconds":
            return Reply({"items": [one for one in STAMPED if one["stamp"] >= int(query["since"])]})
        case "between":
            start, end = query["from"], query["to"]
            span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
            if span.days > _WIDEST:
                return Reply({"error": f"{span} is too long"}, 400)
        case "searched":
            start, end = json.loads(request.content)["filter"]["since"], "9"
        case "listed":
            first, second = json.loads(request.content)["all"]
            assert second["x"] == 1
            start, end = first["after"], second["before"]
        case "worded":
            found = re.fullmatch(r"updated>=(\S+) state:any", query["q"])
            assert found is not None
            start, end = found[1], "9"
        case "stamped":
            start, end = datetime.fromtimestamp(int(query["since"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "9"
        case _:
            start, end = "", "9"
    return Reply({"items": [one for one in ITEMS if start <= one["updated_at"] <= end]})


def _shaped(kind: str) -> Reply:
    match kind:
        case "object":
            return Reply({"data": ITEMS[0]})
        case "null":
            return Reply({"data": None})
        case "dotted":
            return Reply({"data": [{"items.json": ITEMS[:5]}, {"items.json": ITEMS[5:]}], "items.json": ITEMS})
        case "grouped":
            return Reply({"groups": [{"rows": ITEMS[:5]}, {"rows": ITEMS[5:]}]})
        case "keyed":
            return Reply({"data": {str(one["id"]): one for one in ITEMS}})
        case "keyless":
            return Reply([{"message": one["name"], "at": one["updated_at"]} for one in ITEMS])
        case "composite":
            return Reply([{"a": one["id"] % 5, "b": one["id"], "v": one["name"]} for one in ITEMS])
    return Reply({"items": ITEMS})
