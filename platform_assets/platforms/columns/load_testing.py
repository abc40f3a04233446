"""What the columns of `load_testing` mean."""

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, str] = {
    "id": "Number; unique among records of its kind.",
    "name": "Free text for people; not unique.",
    "description": "Longer text for people; may be empty.",
    "created": "When it was created (UTC).",
    "updated": "When its settings last changed (UTC); the cursor.",
    "is_default": "Whether it is used where none is named.",
    # organizations
    "owner_id": "User who owns the organization and pays for it; users are not loaded.",
    "billing_address": "Postal address on invoices.",
    "billing_country": "Country on invoices, as ISO 3166 two letters.",
    "billing_email": "Where invoices are sent.",
    "vat_number": "Tax number on invoices; may be null.",
    "is_saml_org": "Whether its users log in by SAML single sign-on.",
    # projects
    "organization_id": "Organization it belongs to, `load_testing.organizations.id`; null from API v6.",
    "projects.description": "Longer text for people; null from API v6.",
    # tests
    "project_id": "Project that the test belongs to; `load_testing.projects.id`.",
    "user_id": "User who created the test; null from API v6. Users are not loaded.",
    "tests.updated": "When test or script last changed (UTC), not when it last ran; the cursor.",
    "last_test_run_id": "Newest run, as a text, also in `test_run_ids`; null if it never ran.",
    "test_run_ids": "Ids of all runs, as a list of numbers that only grows.",
    "script": "Source of the test, JavaScript; may hold credentials. API v6: needs `details`.",
}
