"""Pipedrive's REST API: v2 where a list has moved there, v1 for the others.

`/v1/recents` is not used: it answers with at most one month, whatever `since_timestamp` says.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from platform_assets.declarations import (
    Account,
    ApiKeyAuth,
    Client,
    Contract,
    Cursor,
    DailyBudget,
    Endpoint,
    ErrorHandler,
    FanOut,
    Incremental,
    ParentBatch,
    RateLimit,
    Resolve,
    SinglePage,
)

# It describes version 2 as well.
DOCS = "https://developers.pipedrive.com/docs/api/v1"

# The cursor holds what the next page's first row is sorted by.
V2 = Cursor(
    cursor_path="additional_data.next_cursor",
    cursor_param="cursor",
    limit_param="limit",
    limit=500,
    maximum=500,
    stable=True,
)


def v1(limit: int = 500, maximum: int | None = 500) -> Cursor:
    """Pages by `start`. Some lists leave out `next_start` (roles) or all of `additional_data` (mail threads)."""
    return Cursor(
        cursor_path="additional_data.pagination.next_start",
        cursor_param="start",
        base=0,
        limit_param="limit",
        limit=limit,
        maximum=maximum,
        counts_records=True,
        more_path="additional_data.pagination.more_items_in_collection",
        start_echo_path="additional_data.pagination.start",
        limit_echo_path="additional_data.pagination.limit",
        implied=True,
    )


SINCE = Incremental(cursor_path="update_time", start_param="updated_since", lag=timedelta(minutes=5))

# The long lists of version 2 come in the order of their last change, so that what has landed need not be read again.
OLDEST_FIRST = replace(SINCE, row_order="asc")
BY_UPDATE = {"sort_by": "update_time", "sort_direction": "asc"}

UPDATED = Incremental(cursor_path="update_time")

# For lists that can be sorted, but not filtered: they are read until the records are known.
NEWEST_FIRST = Incremental(cursor_path="update_time", newest_first=True, lag=timedelta(minutes=5))
SORTED = {"sort": "update_time DESC"}


def core(path: str, **params: str) -> Endpoint:
    """A list of version 2 that filters on `update_time`."""
    return Endpoint(
        path=f"/api/v2/{path}", params={**BY_UPDATE, **params}, paginator=V2, incremental=OLDEST_FIRST, cost=10
    )


def single(path: str, incremental: Incremental | None = None, cost: int = 20) -> Endpoint:
    """A list of version 1 without pages."""
    return Endpoint(path=f"/v1/{path}", paginator=SinglePage(), incremental=incremental, cost=cost)


def field_list(path: str) -> Endpoint:
    """The field definitions of one kind of record."""
    return Endpoint(path=f"/v1/{path}", paginator=v1(), cost=20)


def documented(endpoints: Mapping[str, Endpoint]) -> dict[str, Endpoint]:
    """The endpoints with their pages of the vendor's documents, named as their paths begin: `/v1/leadLabels`."""
    return {name: replace(one, docs_url=f"{DOCS}/{_page(one.path)}") for name, one in endpoints.items()}


def _page(path: str) -> str:
    word = path.removeprefix("/api/v2/").removeprefix("/v1/").split("/")[0]
    return word[0].upper() + word[1:]


# Deleted deals come only if asked for, and for 30 days.
EVERY_DEAL = {**BY_UPDATE, "status": "open,won,lost,deleted"}

CONTRACT = Contract(
    title="Pipedrive",
    version="v1, v2",
    base_url="https://api.pipedrive.com",
    client=Client(
        # The query parameter `api_token` is no longer in the vendor's specifications.
        auth=ApiKeyAuth(name="x-api-token", location="header"),
        probe="/v1/currencies",
        account=Account(path="/v1/users", resource="users", fields=("id",)),
        paginator=v1(),
        null_is_empty=True,
        success_field="success",
        docs_url=DOCS,
        error_handler=ErrorHandler(retry_not_json=True),
        # Of the smallest plan.
        rate_limit=RateLimit(requests=20, seconds=2),
        daily_budget=DailyBudget(
            remaining_header="x-daily-ratelimit-token-remaining", renewed="midnight of the vendor's server"
        ),
    ),
    endpoints=documented(
        {
            "deals": Endpoint(
                path="/api/v2/deals",
                params=EVERY_DEAL,
                paginator=V2,
                incremental=OLDEST_FIRST,
                cost=10,
                also=(
                    Endpoint(
                        path="/api/v2/deals/archived",
                        params=EVERY_DEAL,
                        paginator=V2,
                        incremental=OLDEST_FIRST,
                        cost=20,
                    ),
                ),
            ),
            "activities": core("activities", include_fields="attendees"),
            "persons": core("persons"),
            "organizations": core("organizations"),
            "products": core("products"),
            # These two answer 400 to `updated_since`.
            "pipelines": Endpoint(path="/api/v2/pipelines", paginator=V2, incremental=UPDATED, cost=5),
            "stages": Endpoint(path="/api/v2/stages", paginator=V2, incremental=UPDATED, cost=5),
            "files": Endpoint(
                path="/v1/files", params=SORTED, paginator=v1(limit=100, maximum=100), incremental=NEWEST_FIRST, cost=20
            ),
            "filters": single("filters", UPDATED),
            "notes": Endpoint(path="/v1/notes", incremental=SINCE, cost=20),
            "users": single("users", Incremental(cursor_path="modified")),
            "deal_fields": Endpoint(path="/v1/dealFields", incremental=UPDATED, cost=20),
            "activity_fields": single("activityFields"),
            "organization_fields": field_list("organizationFields"),
            "person_fields": field_list("personFields"),
            "product_fields": field_list("productFields"),
            "leads": Endpoint(
                path="/v1/leads",
                incremental=SINCE,
                cost=20,
                also=(Endpoint(path="/v1/leads/archived", params=SORTED, incremental=NEWEST_FIRST, cost=40),),
            ),
            "roles": Endpoint(path="/v1/roles", cost=20),
            "mail_threads": Endpoint(
                path="/v1/mailbox/mailThreads",
                params={"folder": FanOut(("inbox", "drafts", "sent", "archive"))},
                # Nothing says whether more follows, nor how many rows are granted: a short page need not be the last.
                paginator=v1(maximum=None),
                incremental=UPDATED,
                cost=20,
            ),
            "mail": Endpoint(
                path="/v1/mailbox/mailThreads/{thread_id}/mailMessages",
                params={"thread_id": Resolve(resource="mail_threads", field="id")},
                paginator=SinglePage(),
                incremental=UPDATED,
                cost=20,
            ),
            "lead_labels": single("leadLabels", cost=10),
            "activity_types": single("activityTypes"),
            "currencies": single("currencies"),
            "permission_sets": single("permissionSets"),
            # Without a criterion only the goals of the token's owner come, and only active ones.
            "goals": Endpoint(
                path="/v1/goals/find",
                params={
                    "expected_outcome.tracking_metric": FanOut(("quantity", "sum")),
                    "is_active": FanOut(("true", "false")),
                },
                paginator=SinglePage(),
                data_selector="data.goals",
                cost=20,
            ),
            "deal_products": Endpoint(
                path="/api/v2/deals/products",
                params={"deal_ids": Resolve(resource="deals", field="id")},
                paginator=V2,
                batch=ParentBatch(size=100, parent_field="deal_id"),
                cost=10,
            ),
        }
    ),
)
