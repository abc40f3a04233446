"""A platform: one API family, its client defaults and its resources."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import timedelta
from typing import Literal

from platform_assets.declarations.declaration import declaration
from platform_assets.declarations.incremental import Cadence, Freshness
from platform_assets.declarations.paginator import Paginator
from platform_assets.declarations.resource import Endpoint, Resource

REFERENCE = "reference"
"""The vendor-neutral contract that every platform has."""


@declaration
class BearerAuth:
    """`Authorization: Bearer <token>`; the token is the secret named `token`."""

    token: str = "api_token"


@declaration
class ApiKeyAuth:
    """The secret named `api_key`, sent as the query parameter or header called `name`."""

    name: str
    location: Literal["query", "header"] = "query"
    api_key: str = "api_token"


Auth = BearerAuth | ApiKeyAuth


@declaration
class ErrorHandler:
    """Which faults are tried again, and how often.

    A wait that the server asks for (`Retry-After`, reset headers) replaces the formula and does not use
    up `max_retries`; waits add up to at most `wait_budget` seconds a request, then the request fails.
    """

    retry_on_status_codes: tuple[int, ...] = (429, 500, 502, 503, 504)
    max_retries: int = 3
    backoff_factor: float = 2.0
    wait_budget: float = 900.0


@declaration
class RateLimit:
    """At most `requests` in any window of `seconds`, over everything that uses the credential."""

    requests: int
    seconds: float


@declaration
class Account:
    """One cheap request whose records only one account has: organizations, users.

    Args:
        path, params: the request.
        data_selector: dotted path to the records; `""` is the body.
        fields: fields whose values together name one of them. An answer without any value that was there before
            is another account's.
        resource: the resource that holds the same records, by which names that changed since are known.
    """

    path: str
    resource: str
    fields: tuple[str, ...]
    params: Mapping[str, str | int] = field(default_factory=dict)
    data_selector: str = "data"


@declaration
class Client:
    """What all endpoints of a contract share.

    Args:
        data_selector: dotted path to the records in a body.
        null_is_empty: whether null at the selector means no records (Pipedrive: `data: null`).
        success_field: body field that must not be false (Pipedrive: `success`).
        max_concurrency: requests in flight at once.
        probe: path of one cheap request that proves the settings and the credential.
        account: a cheap request that tells whose data it is, where there is one.
    """

    auth: Auth
    probe: str
    account: Account | None = None
    paginator: Paginator
    data_selector: str = "data"
    null_is_empty: bool = False
    success_field: str | None = None
    error_handler: ErrorHandler = ErrorHandler()
    rate_limit: RateLimit | None = None
    max_concurrency: int = 8
    headers: Mapping[str, str] = field(default_factory=dict)


@declaration
class Contract:
    """Another wire protocol that serves the same tables, e.g. a live vendor's.

    Args:
        client: replaces the platform's (reference) client.
        endpoints: resource name -> where this contract serves it; the others keep the reference's.
    """

    client: Client
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)


@declaration
class Scope:
    """A setting that narrows which parents are read.

    Args:
        setting: key under `[sources.<platform>]`; a text, or a list of them.
        resource, field: keep only parent rows of `resource` whose `field` is among the setting's values.
    """

    setting: str
    resource: str
    field: str


@declaration
class Platform:
    """One API family: dlt source name, warehouse schema, Dagster group and asset key prefix in one.

    `client` and each resource's `endpoint` are the contract `reference`; `contracts` holds the others by name.
    """

    name: str
    title: str
    description: str
    client: Client
    resources: tuple[Resource, ...]
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    primary_key: str = "id"
    freshness: Freshness = Freshness(allowed_lag=timedelta(hours=26))
    cadence: Cadence = Cadence(cursored="0 * * * *", snapshots="0 3 * * *", full="0 4 * * 0")
    owners: tuple[str, ...] = ("team:data-platform",)
    scopes: tuple[Scope, ...] = ()

    def resource(self, name: str) -> Resource:
        """The resource called `name`. Raises KeyError where there is none."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(f"{self.name} has no resource {name!r}")

    @property
    def contract_names(self) -> tuple[str, ...]:
        return (REFERENCE, *self.contracts)

    def with_contract(self, contract: str) -> "Platform":
        """The same tables from the endpoints of `contract`. Raises KeyError for an unknown one."""
        if contract == REFERENCE:
            return self
        chosen = self.contracts[contract]
        resources = tuple(
            replace(resource, endpoint=chosen.endpoints.get(resource.name, resource.endpoint))
            for resource in self.resources
        )
        return replace(self, client=chosen.client, resources=resources)

    def primary_key_of(self, resource: Resource) -> tuple[str, ...]:
        key = resource.primary_key or self.primary_key
        return (key,) if isinstance(key, str) else key

    def paginator_of(self, resource: Resource) -> Paginator:
        return resource.endpoint.paginator or self.client.paginator

    def data_selector_of(self, resource: Resource) -> str:
        selector = resource.endpoint.data_selector
        return self.client.data_selector if selector is None else selector

    def freshness_of(self, resource: Resource) -> Freshness:
        return resource.freshness or self.freshness
