"""k6 Cloud's first REST API. The vendor has deprecated all of it; `grafana_k6` is what it offers instead."""

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Client,
    Contract,
    Deprecation,
    Endpoint,
    Incremental,
    Listed,
    PageNumber,
    Resolve,
    SinglePage,
)

DOCS = "https://grafana.com/docs/grafana-cloud/testing/k6/reference/cloud-rest-api/deprecated-rest-api/"

UPDATED = Incremental(cursor_path="updated")

CONTRACT = Contract(
    title="Grafana Cloud k6 (legacy REST API)",
    version="v2/v3",
    base_url="https://api.k6.io",
    client=Client(
        auth=BearerAuth(),
        probe="/v3/organizations",
        account=Account(
            path="/v3/organizations", data_selector="organizations", resource="organizations", fields=("id",)
        ),
        # Neither organizations nor projects take paging parameters: page 2 might be page 1 again.
        paginator=SinglePage(),
        docs_url=DOCS,
    ),
    endpoints={
        "organizations": Endpoint(
            path="/v3/organizations",
            data_selector="organizations",
            incremental=UPDATED,
            deprecation=Deprecation(replacement="none: a stack takes the place of an organization"),
            docs_url=f"{DOCS}organizations/",
        ),
        "projects": Endpoint(
            path="/v3/organizations/{organization_id}/projects",
            params={"organization_id": Resolve(resource="organizations", field="id")},
            data_selector="projects",
            incremental=UPDATED,
            deprecation=Deprecation(replacement="GET /cloud/v6/projects"),
            docs_url=f"{DOCS}projects/",
        ),
        "tests": Endpoint(
            path="/loadtests/v2/tests",
            # Without a project the vendor answers with the tests of the default project only.
            params={"project_id": Listed(resource="projects", field="id")},
            paginator=PageNumber(page_param="page", limit_param="page_size", limit=100, total_path="meta.count"),
            data_selector="k6-tests",
            incremental=UPDATED,
            deprecation=Deprecation(replacement="GET /cloud/v6/load_tests"),
            docs_url=f"{DOCS}tests/",
        ),
    },
)
