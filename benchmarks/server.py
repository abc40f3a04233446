"""A fast server of pre-rendered records, so that the benchmarks measure the reader and not the server.

Serves `crm` leads (`/v1/leads`, body cursor, 500 records a page) and the same records in `/v1/recents`
envelopes, filtered by time, from memory, with optional latency and faults. It runs in a separate process, so that
its CPU time is not counted as the reader's.
"""

import argparse
import asyncio
import random
from urllib.parse import parse_qs, urlsplit

import orjson

PAGE = 500
TOKEN = "benchmark-token"


def record(number: int, version: int = 0) -> dict[str, object]:
    """One nested record of about 660 bytes and 20 fields, like Pipedrive's leads."""
    return {
        "id": f"{number:08x}-de6b-11eb-a544-5391b24dc0cf",
        "title": f"Lead {number} of the quarter, revision {version}",
        "owner_id": 11884360 + number % 50,
        "creator_id": 11884360,
        "label_ids": [f"aecece60-{number % 97:04d}", f"bfdfdf71-{number % 31:04d}"],
        "value": {"amount": number % 10_000 + 0.5, "currency": "EUR"},
        "expected_close_date": "2026-05-16",
        "person_id": number % 5000,
        "organization_id": None if number % 3 else number % 700,
        "is_archived": False,
        "source_name": "Manually created",
        "was_seen": number % 2 == 0,
        "next_activity_id": number * 3,
        "add_time": "2025-07-06T15:04:22.255Z",
        "update_time": f"2026-01-{1 + number % 28:02d}T11:46:49.{version % 1000:03d}Z",
        "visible_to": "3",
        "cc_email": f"lead{number}@pipedrivemail.example.com",
        "note": "Called twice, wants an offer with the volume discount before the end of the month.",
        "custom": {
            "region": "EMEA",
            "score": number % 100,
            "tags": ["a", "b", "c"],
            "history": [{"at": "2025-07-06", "by": 7}],
        },
        "channel": {"id": number % 9, "name": "web"},
    }


def render(rows: int, changed_every: int = 0) -> list[bytes]:
    """All records as bytes. With `changed_every` n, every nth record has a new revision."""
    return [orjson.dumps(record(n, 1 if changed_every and n % changed_every == 0 else 0)) for n in range(rows)]


def enveloped(row: bytes, number: int) -> bytes:
    """A record in the envelope of `/v1/recents`, numbered."""
    return orjson.dumps({"item": "deal", "id": number, "data": {**orjson.loads(row), "id": number}})


def page(rows: list[bytes], query: dict[str, list[str]]) -> bytes:
    """The rows from `start` on, joined; rendering them here would be measured too."""
    start, limit = int(query.get("start", ["0"])[0]), min(int(query.get("limit", ["100"])[0]), PAGE)
    end = start + limit
    more = b"true" if end < len(rows) else b"false"
    stated = b',"next_start":%d' % end if end < len(rows) else b""
    pagination = b'{"start":%d,"limit":%d,"more_items_in_collection":%s%s}' % (start, limit, more, stated)
    data = b",".join(rows[start:end])
    return b'{"success":true,"data":[%s],"additional_data":{"pagination":%s}}' % (data, pagination)


def organizations(count: int, pipelines_of_each: int) -> dict[str, list[bytes]]:
    """Lists of `ci_analytics`, paged by number: organizations, and the pipelines of each."""
    every = [{"id": f"o{n}", "slug": f"org-{n}", "created_at": "2026-01-01T00:00:00Z"} for n in range(count)]
    found = {"/v2/organizations": [orjson.dumps(one) for one in every]}
    for one in every:
        pipelines = [
            {"id": f"{one['slug']}-{n}", "name": f"Pipeline {n}", "slug": f"p-{n}"} for n in range(pipelines_of_each)
        ]
        found[f"/v2/organizations/{one['slug']}/pipelines"] = [orjson.dumps(pipeline) for pipeline in pipelines]
    return found


def numbered(rows: list[bytes], query: dict[str, list[str]]) -> bytes:
    """A page of a list that is paged by number."""
    number, size = int(query.get("page", ["1"])[0]), min(int(query.get("per_page", ["30"])[0]), 100)
    return b'{"data":[%s]}' % b",".join(rows[(number - 1) * size : number * size])


def deals(count: int, changed: int) -> list[bytes]:
    """The `count` deals of `/v1/recents`, or the first `changed` of them with a later change."""
    day = "2026-02-02" if changed else "2026-01-01"
    return [
        orjson.dumps(
            {"item": "deal", "id": n, "data": {"id": n, "title": f"Deal {n}", "update_time": f"{day} 00:00:00"}}
        )
        for n in range(1, (changed or count) + 1)
    ]


def products(deal: int, version: int) -> bytes:
    """Two product lines of a deal; another price in another version."""
    lines = [
        {"id": deal * 10 + n, "deal_id": deal, "product_id": n, "name": f"Item {n}", "item_price": 10.0 + version}
        for n in range(2)
    ]
    return orjson.dumps({"success": True, "data": lines, "additional_data": {"pagination": {}}})


class PageServer:
    """Serves GETs from memory over keep-alive connections."""

    def __init__(
        self, rows: int, latency: float, fault_share: float, parents: int, deal_count: int, pipelines: int
    ) -> None:
        self.fixed = organizations(parents, pipelines)
        self.deals = {0: deals(deal_count, 0), 1: deals(deal_count, 50)} if deal_count else None
        self.latency = latency
        self.fault_share = fault_share
        self.random = random.Random(7)
        self.requests = 0
        self.versions = {0: render(rows), 1: render(rows, 100)} if rows else {0: [], 1: []}
        self.recents = [enveloped(row, n) for n, row in enumerate(self.versions[0])] if rows == 10_000 else []
        self.version = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (line := await reader.readline()).strip():
                while (await reader.readline()).strip():
                    pass
                status, body = self.answer(line.split()[1].decode())
                if self.latency:
                    await asyncio.sleep(self.latency)
                extra = "Retry-After: 1\r\n" if status == 429 else ""
                head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{extra}"
                head += f"Content-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def answer(self, target: str) -> tuple[int, bytes]:
        url = urlsplit(target)
        query = parse_qs(url.query)
        if url.path == "/_requests":
            return 200, str(self.requests).encode()
        if url.path == "/_version":
            self.version = int(query["v"][0])
            return 200, b"{}"
        self.requests += 1
        if self.fault_share and self.random.random() < self.fault_share:
            return 429, b'{"success":false,"error":"request over limit"}'
        fixed = self.fixed.get(url.path)
        if fixed is not None:
            return 200, numbered(fixed, query)
        if self.deals is not None and url.path.endswith("/products"):
            deal = int(url.path.split("/")[3])
            return 200, products(deal, self.version if deal <= 50 else 0)
        rows = self.versions[self.version] if self.deals is None else self.deals[self.version]
        if self.deals is None and query.get("since_timestamp", [""])[0] > "2026":
            # Server-side filter: only the records of the newest second are as new as the last cursor.
            return 200, b'{"success":true,"data":[],"additional_data":{"pagination":{}}}'
        if self.deals is None and url.path == "/v1/recents":
            rows = self.recents
        return 200, page(rows, query)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--fault-share", type=float, default=0.0)
    parser.add_argument("--organizations", type=int, default=0)
    parser.add_argument("--pipelines", type=int, default=20, help="of each organization")
    parser.add_argument("--deals", type=int, default=0)
    options = parser.parse_args()
    server = PageServer(
        options.rows, options.latency, options.fault_share, options.organizations, options.deals, options.pipelines
    )
    await (await asyncio.start_server(server.serve, "127.0.0.1", options.port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
