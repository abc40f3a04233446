"""Grafana Cloud k6's REST API, v6: one stack, lists under `value`, pages by `$skip` and `$top`.

Not in this version: organizations (a stack takes their place), a project's description and organization, a test's
user. Those columns are null, also in rows that an earlier contract has loaded. A test's script and the ids of its runs
are at paths of their own: null too, unless the setting `details` is on.
"""

from platform_assets.declarations import (
    Account,
    BearerAuth,
    BodyText,
    Client,
    Configured,
    Contract,
    Detail,
    Endpoint,
    Every,
    Incremental,
    Newest,
    Offset,
)

DOCS = "https://grafana.com/docs/grafana-cloud/testing/k6/reference/cloud-rest-api/"

UPDATED = Incremental(cursor_path="updated")

# JavaScript as it is, or an archive of several files (`application/x-tar`), which is no text.
SCRIPT = Detail(path="/cloud/v6/load_tests/{id}/script", fields={"script": BodyText()})
RUNS = Detail(
    path="/cloud/v6/load_tests/{id}/test_runs",
    # The only field that runs can be ordered by; without an order, theirs might change from read to read.
    params={"$orderby": "created"},
    fields={"test_run_ids": Every("id"), "last_test_run_id": Newest("id", by="created")},
)

CONTRACT = Contract(
    title="Grafana Cloud k6",
    version="v6",
    base_url="https://api.k6.io",
    client=Client(
        auth=BearerAuth(),
        headers={"X-Stack-Id": Configured("stack_id")},
        probe="/cloud/v6/projects",
        account=Account(path="/cloud/v6/projects", data_selector="value", resource="projects", fields=("id",)),
        data_selector="value",
        docs_url=DOCS,
        paginator=Offset(
            offset_param="$skip", limit_param="$top", limit=1000, maximum=1000, next_link_path="@nextLink"
        ),
    ),
    unserved={"organizations": "version 6 has no organizations: a stack takes their place"},
    endpoints={
        "projects": Endpoint(path="/cloud/v6/projects", incremental=UPDATED, docs_url=f"{DOCS}projects/"),
        # Times come without a zone; they are UTC.
        "tests": Endpoint(
            path="/cloud/v6/load_tests",
            incremental=UPDATED,
            details=(SCRIPT, RUNS),
            docs_url=f"{DOCS}load-tests/",
        ),
    },
)
