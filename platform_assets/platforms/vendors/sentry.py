"""Sentry's REST API: bare lists, cursors in the `Link` header, `start` and `end` only together."""

from datetime import timedelta

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Client,
    Configured,
    Contract,
    Endpoint,
    ErrorHandler,
    HeaderCursor,
    Incremental,
    RateLimit,
    RecordShape,
    Resolve,
    SingleObject,
)

DOCS = "https://docs.sentry.io/api/"

ORGANIZATION = Resolve(resource="projects", field="organization.slug")
SLUG = Resolve(resource="projects", field="slug")

# 100 is the default and the maximum; above it organization lists answer 400.
PAGES = HeaderCursor(limit_param="per_page", limit=100)


def seen_since(cursor: str) -> Incremental:
    """A filter by `start` and `end`; records that were made offline arrive late.

    The first read asks for everything, or the vendor's default period would apply.
    """
    return Incremental(
        cursor_path=cursor,
        start_param="start",
        end_param="end",
        end_required=True,
        row_order="desc",
        initial_value="1970-01-01T00:00:00Z",
        lag=timedelta(days=1),
    )


CONTRACT = Contract(
    title="Sentry",
    version="0",
    base_url="https://sentry.io",
    regions={"us": "https://us.sentry.io", "de": "https://de.sentry.io"},
    client=Client(
        auth=BearerAuth(),
        probe="/api/0/organizations/{organization}/projects/",
        account=Account(
            path="/api/0/organizations/{organization}/projects/", resource="projects", fields=("id",), data_selector=""
        ),
        data_selector="",
        docs_url=DOCS,
        paginator=PAGES,
        # Before an endpoint ends, it answers 410 for a minute a day.
        error_handler=ErrorHandler(retry_once_after={410: 60}),
    ),
    endpoints={
        "projects": Endpoint(
            # /api/0/projects/, which the reference follows, is deprecated and misses projects.
            path="/api/0/organizations/{organization}/projects/",
            # All in one answer; a server that does not know the parameter gives pages.
            params={"organization": Configured("organization"), "all_projects": "1"},
            # The list of one organization does not repeat it in each project.
            record=RecordShape(from_path={"organization.slug": "organization"}),
            scope="org:read",
            docs_url=f"{DOCS}organizations/list-an-organizations-projects/",
        ),
        "events": Endpoint(
            path="/api/0/projects/{organization}/{project}/events/",
            params={"organization": ORGANIZATION, "project": SLUG},
            # Cursors are times: rows keep their place.
            paginator=HeaderCursor(stable=True),
            incremental=seen_since("dateCreated"),
            rate_limit=RateLimit(requests=60, seconds=60),
            max_concurrency=1,
            scope="project:read",
            docs_url=f"{DOCS}events/list-a-projects-error-events/",
        ),
        "issues": Endpoint(
            # The project's own list of issues is deprecated.
            path="/api/0/organizations/{organization}/issues/",
            # Without `query` only unresolved issues come.
            params={"organization": ORGANIZATION, "project": SLUG, "query": "", "sort": "date"},
            paginator=HeaderCursor(limit_param="limit", limit=100, stable=True),
            incremental=seen_since("lastSeen"),
            rate_limit=RateLimit(requests=5, seconds=1),
            scope="event:read",
            docs_url=f"{DOCS}events/list-an-organizations-issues/",
        ),
        "releases": Endpoint(
            path="/api/0/organizations/{organization}/releases/",
            # Without `status` archived releases are hidden.
            params={"organization": ORGANIZATION, "status": ""},
            incremental=Incremental(cursor_path="dateCreated"),
            rate_limit=RateLimit(requests=40, seconds=1),
            scope="project:releases",
            docs_url=f"{DOCS}releases/list-an-organizations-releases/",
        ),
        "project_detail": Endpoint(
            path="/api/0/projects/{organization}/{project}/",
            params={"organization": ORGANIZATION, "project": SLUG},
            paginator=SingleObject(),
            scope="project:read",
            docs_url=f"{DOCS}projects/retrieve-a-project/",
        ),
    },
)
