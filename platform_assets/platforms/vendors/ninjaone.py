"""NinjaOne's REST API, v2: bare lists, times in seconds since 1970, tokens that last an hour."""

from datetime import timedelta

from platform_assets.declarations import (
    Account,
    Client,
    Contract,
    Endpoint,
    ErrorHandler,
    Incremental,
    OAuth2ClientCredentials,
    RecordCursor,
    SinglePage,
)

# How many the server grants at most is not documented, so only a page without records is the end.
AFTER = RecordCursor(cursor_param="after", limit_param="pageSize", limit=1000)

CONTRACT = Contract(
    title="NinjaOne",
    version="v2",
    regions={
        "app": "https://app.ninjarmm.com",
        "us2": "https://us2.ninjarmm.com",
        "eu": "https://eu.ninjarmm.com",
        "ca": "https://ca.ninjarmm.com",
        "oc": "https://oc.ninjarmm.com",
        "fed": "https://fed.ninjarmm.com",
    },
    client=Client(
        auth=OAuth2ClientCredentials(
            access_token_url="/ws/oauth/token",  # noqa: S106 -- a path
            access_token_request_data={"scope": "monitoring"},
        ),
        probe="/v2/roles",
        # Every tenant has organizations 1, 2, 3, ...; together with their names they identify the tenant.
        account=Account(
            path="/v2/organizations",
            params={"pageSize": 1000},
            resource="organizations",
            fields=("id", "name"),
            data_selector="",
        ),
        data_selector="",
        # One page for the whole API.
        docs_url="https://app.ninjarmm.com/apidocs/",
        paginator=SinglePage(),
        epoch_times=True,
        # A throttle may come as an HTML page with status 200.
        error_handler=ErrorHandler(retry_not_json=True),
    ),
    endpoints={
        "organizations": Endpoint(path="/v2/organizations", paginator=AFTER),
        "policies": Endpoint(path="/v2/policies", incremental=Incremental(cursor_path="updated", bounded=True)),
        "activities": Endpoint(
            path="/v2/activities",
            data_selector="activities",
            # `lastActivityId` is the account's newest, the same on every page, and leads nowhere.
            paginator=RecordCursor(
                cursor_param="olderThan", newest_first=True, limit_param="pageSize", limit=1000, maximum=1000
            ),
            incremental=Incremental(
                cursor_path="activityTime", bounded=True, newest_first=True, lag=timedelta(hours=1)
            ),
        ),
        "automation_scripts": Endpoint(
            path="/v2/automation/scripts", incremental=Incremental(cursor_path="updatedOn", bounded=True)
        ),
        "groups": Endpoint(path="/v2/groups", incremental=Incremental(cursor_path="updated", bounded=True)),
        "locations": Endpoint(path="/v2/locations", paginator=AFTER),
        "roles": Endpoint(path="/v2/roles", incremental=Incremental(cursor_path="created", bounded=True)),
        "software_products": Endpoint(path="/v2/software-products"),
    },
)
