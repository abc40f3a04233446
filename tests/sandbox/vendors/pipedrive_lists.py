"""Reading Pipedrive's lists to their end."""

from typing import Any

import pytest

from platform_assets.sandbox import SandboxServer
from tests.sandbox.vendors.asking import MOST_PAGES, Row, ask

FOLDERS = ("inbox", "drafts", "sent", "archive")


def v1_pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    """All rows by `start` and `limit`, also of lists that do not say whether more follow."""
    found: list[Row] = []
    limit = params.setdefault("limit", 100)
    for _ in range(MOST_PAGES):
        body = ask(server, "pipedrive", path, {**params, "start": len(found)}).json()
        rows = body["data"] or []
        found += rows
        pagination = body.get("additional_data", {}).get("pagination")
        if len(rows) < limit if pagination is None else not pagination["more_items_in_collection"]:
            return found
    pytest.fail("the list has no end")


def v2_pages(server: SandboxServer, path: str, **params: Any) -> list[Row]:
    """All rows by cursor."""
    found: list[Row] = []
    for _ in range(MOST_PAGES):
        response = ask(server, "pipedrive", path, params)
        assert response.status_code == 200, response.text
        body = response.json()
        found += body["data"]
        cursor = body["additional_data"].get("next_cursor")
        if cursor is None:
            return found
        params = {**params, "cursor": cursor}
    pytest.fail("the list has no end")
