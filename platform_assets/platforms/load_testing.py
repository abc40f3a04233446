"""Load testing: organizations, their projects, and tests (the live vendor is Grafana Cloud k6).

The vendor has deprecated all three paths. Live today: `GET /cloud/v6/projects` and `GET /cloud/v6/load_tests`; v6 has
a stack instead of organizations.
"""

from platform_assets.declarations import (
    Account,
    BearerAuth,
    Cadence,
    Client,
    DynamicPartitions,
    Endpoint,
    Incremental,
    PageNumber,
    Platform,
    Resolve,
    Resource,
    SinglePage,
)
from platform_assets.platforms.columns.load_testing import DESCRIPTIONS
from platform_assets.platforms.vendors import grafana_k6, k6_legacy

# As specified; no maximum is known.
PAGES = PageNumber(page_param="page", limit_param="page_size", limit=32)

ACCOUNT = Account(path="/v3/organizations", data_selector="organizations", resource="organizations", fields=("id",))

PLATFORM = Platform(
    name="load_testing",
    title="Load testing",
    description="Organizations, projects and tests of a load testing service.",
    cadence=Cadence(cursored="19 * * * *", snapshots="23 2 * * *", full="23 4 * * 6", verified="23 6 * * 6"),
    client=Client(auth=BearerAuth(), probe="/v3/organizations", paginator=PAGES, account=ACCOUNT),
    contracts={"grafana_k6": grafana_k6.CONTRACT, "k6_legacy": k6_legacy.CONTRACT},
    column_descriptions=DESCRIPTIONS,
    resources=(
        Resource(
            name="organizations",
            description="Organizations of the token, with billing address and VAT number; one page.",
            endpoint=Endpoint(
                path="/v3/organizations",
                paginator=SinglePage(),
                data_selector="organizations",
                incremental=Incremental(cursor_path="updated"),
            ),
            personal=("billing_address", "billing_country", "billing_email", "vat_number"),
            columns={
                "id": "bigint",
                "name": "text",
                "owner_id": "bigint",
                "description": "text",
                "billing_address": "text",
                "billing_country": "text",
                "billing_email": "text",
                "vat_number": "text",
                "created": "timestamp",
                "updated": "timestamp",
                "is_default": "bool",
                "is_saml_org": "bool",
            },
        ),
        Resource(
            name="projects",
            description="Projects of an organization that the token's user is a member of.",
            endpoint=Endpoint(
                path="/v3/organizations/{organization_id}/projects",
                params={"organization_id": Resolve(resource="organizations", field="id")},
                data_selector="projects",
                incremental=Incremental(cursor_path="updated"),
            ),
            partition=DynamicPartitions(name="load_testing_organization"),
            columns={
                "id": "bigint",
                "name": "text",
                "description": "text",
                "organization_id": "bigint",
                "created": "timestamp",
                "updated": "timestamp",
                "is_default": "bool",
            },
        ),
        Resource(
            name="tests",
            description="Load tests of all projects of the token, with script and the ids of their runs.",
            endpoint=Endpoint(
                path="/loadtests/v2/tests",
                data_selector="tests",
                incremental=Incremental(cursor_path="updated"),
            ),
            columns={
                "id": "bigint",
                "project_id": "bigint",
                "user_id": "bigint",
                "name": "text",
                "created": "timestamp",
                "updated": "timestamp",
                "last_test_run_id": "text",
                "test_run_ids": "json",
                "script": "text",
            },
        ),
    ),
)
