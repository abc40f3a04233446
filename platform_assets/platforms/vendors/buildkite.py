"""Buildkite's REST API, v2: bare lists, pages by number, a `Link` header that ends with the last page."""

from dataclasses import replace
from datetime import timedelta

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Client,
    Contract,
    Endpoint,
    Grant,
    Incremental,
    PageNumber,
    RateLimit,
    Resolve,
    SingleObject,
    TooDeep,
)

DOCS = "https://buildkite.com/docs/apis/rest-api"

ORGANIZATION = {"org_slug": Resolve(resource="organizations", field="slug")}

PAGES = PageNumber(page_param="page", limit_param="per_page", limit=100, maximum=100, link_header=True)

# Only the oldest builds are removed, by retention.
BUILDS = replace(PAGES, only_grows=True)

# Deep pages are refused with 400; how deep is not documented.
TOO_DEEP = TooDeep(status=400, text="this deep is not supported")

# Not finished yet, so that neither filter of time finds their changes.
UNFINISHED = ("creating", "scheduled", "running", "failing", "blocked", "canceling")

CREATED = Incremental(
    cursor_path="created_at",
    start_param="created_from",
    end_param="created_to",
    lag=timedelta(minutes=10),
    row_order="desc",
    too_deep=TOO_DEEP,
)

# Builds change after they were created. What was finished after the last read was so after the newest build was created
# that it has seen, so the cursor is a safe bound for this filter too.
FINISHED = replace(CREATED, start_param="finished_from")

# Ended without having been finished: they are in none of those two lists, however late they end so.
LEFT_OUT = ("skipped", "not_run")

CONTRACT = Contract(
    title="Buildkite",
    version="v2",
    base_url="https://api.buildkite.com",
    client=Client(
        auth=BearerAuth(),
        probe="/v2/access-token",
        account=Account(
            path="/v2/organizations",
            params={"per_page": 100},
            resource="organizations",
            fields=("id",),
            data_selector="",
        ),
        grant=Grant(path="/v2/access-token", scopes_path="scopes", expires_path="expires_at"),
        data_selector="",
        docs_url=DOCS,
        paginator=PAGES,
        # Of a user and of an organization; a plan can have others.
        rate_limit=(RateLimit(requests=50, seconds=60), RateLimit(requests=200, seconds=60)),
    ),
    endpoints={
        "organizations": Endpoint(
            path="/v2/organizations",
            incremental=Incremental(cursor_path="created_at"),
            scope="read_organizations",
            docs_url=f"{DOCS}/organizations",
        ),
        "analytics_organizations_suites": Endpoint(
            path="/v2/analytics/organizations/{org_slug}/suites",
            params=ORGANIZATION,
            scope="read_suites",
            docs_url=f"{DOCS}/test-engine/suites",
        ),
        "organizations_pipelines": Endpoint(
            path="/v2/organizations/{org_slug}/pipelines",
            params=ORGANIZATION,
            # The address has a key, for users who may edit the pipeline.
            exclude=("provider.webhook_url",),
            scope="read_pipelines",
            docs_url=f"{DOCS}/pipelines",
        ),
        # A page parameter would be ignored: one object, without a list around it.
        "access_token": Endpoint(path="/v2/access-token", paginator=SingleObject(), docs_url=f"{DOCS}/access-token"),
        "builds": Endpoint(
            path="/v2/builds",
            paginator=BUILDS,
            incremental=CREATED,
            scope="read_builds",
            docs_url=f"{DOCS}/builds",
            also=(
                Endpoint(path="/v2/builds", paginator=BUILDS, incremental=FINISHED, follow_up=True),
                Endpoint(
                    path="/v2/builds",
                    params={"state[]": UNFINISHED},
                    incremental=Incremental(
                        cursor_path="created_at", end_param="created_to", row_order="desc", too_deep=TOO_DEEP
                    ),
                    follow_up=True,
                ),
                Endpoint(
                    path="/v2/builds",
                    params={"state[]": LEFT_OUT},
                    incremental=replace(CREATED, reopen={"state": UNFINISHED}),
                    follow_up=True,
                ),
            ),
        ),
    },
)
