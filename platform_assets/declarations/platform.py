"""A platform: one API family, its client defaults and its resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Self

from platform_assets.declarations.auth import Auth
from platform_assets.declarations.cadence import Cadence
from platform_assets.declarations.error_handler import ErrorHandler
from platform_assets.declarations.freshness import Freshness
from platform_assets.declarations.paginator import Paginator, SinglePage
from platform_assets.declarations.rate_limit import RateLimit
from platform_assets.declarations.resource import CONTENT_KEY, Configured, Endpoint, Resource
from platform_assets.declarations.settings_named import listed_settings, optional_settings, settings_named
from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template

# Name of the vendor-neutral contract that every platform has.
REFERENCE = "reference"

# Marks what no file declares.
_DERIVED = {"derived": True}

# A daily read with two hours to spare.
_DEFAULT_FRESHNESS = Freshness(allowed_lag=timedelta(hours=26))
_DEFAULT_ERROR_HANDLER = ErrorHandler()
_ONE_FILE = SinglePage()
_DEFAULT_CADENCE = Cadence(cursored="0 * * * *", snapshots="0 3 * * *", full="0 4 * * 0")


@strict
@dataclass(frozen=True, kw_only=True)
class DailyBudget:
    """A number of tokens that all requests of a day share.

    Args:
        remaining_header: header of every answer with the tokens that are left (Pipedrive, undocumented).
        renewed: when there are new ones, in words.
    """

    remaining_header: str
    renewed: str


@strict
@dataclass(frozen=True, kw_only=True)
class Account:
    """One cheap request whose records identify the account: organizations, users.

    Args:
        path, params: the request.
        resource: the resource that loads the same records; its table tells the account too.
        fields: fields whose values together identify a record. An answer that has no record in common with the
            recorded ones is of another account.
        data_selector: dotted path to the records; `""` is the body.
        label: field that names a record to people.
    """

    path: str
    resource: str
    fields: tuple[str, ...]
    params: Mapping[str, str | int] = field(default_factory=dict)
    data_selector: str = "data"
    label: str = "name"


@strict
@dataclass(frozen=True, kw_only=True)
class Grant:
    """One request that tells what the credential permits and until when (Buildkite's access token).

    Args:
        path: the request.
        scopes_path: dotted path to the list of its permissions, in the words of `Endpoint.scope`.
        expires_path: dotted path to when it expires; null for never.
    """

    path: str
    scopes_path: str
    expires_path: str | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class Client:
    """What all endpoints of a contract share.

    Args:
        auth: how the credential is sent.
        probe: path of one cheap request that proves the settings and the credential.
        account: one cheap request that identifies the account, if the API has one.
        grant: one cheap request that tells what the credential permits, if the API has one.
        paginator: how lists are paged, unless an endpoint says otherwise.
        data_selector: dotted path to the records in a body.
        object_is_record: whether one object, where a list is expected, is its only record.
        null_is_empty: whether null at the selector means no records (Pipedrive: `data: null`).
        success_field: body field that must not be false (Pipedrive: `success`).
        error_handler: which faults are retried.
        rate_limit: the known limit of the API, or several that hold together; None if only its answers tell.
        max_concurrency: requests in flight at once.
        max_jobs: jobs of reports (`Endpoint.job`) that may be unfinished at once; None for any number.
        headers: sent with every request.
        daily_budget: how the answers tell what is left of the day's budget, if there is one.
        epoch_times: whether times are numbers, in seconds since 1970 (NinjaOne), instead of ISO 8601 texts, unless an
            endpoint says otherwise.
        docs_url: the vendor's documentation of the API, for endpoints that do not name their own page.
    """

    auth: Auth
    probe: str
    account: Account | None = None
    grant: Grant | None = None
    paginator: Paginator
    data_selector: str = "data"
    object_is_record: bool = False
    null_is_empty: bool = False
    success_field: str | None = None
    error_handler: ErrorHandler = _DEFAULT_ERROR_HANDLER
    rate_limit: RateLimit | tuple[RateLimit, ...] | None = None
    max_concurrency: int = 8
    max_jobs: int | None = None
    headers: Mapping[str, str | Configured] = field(default_factory=dict)
    epoch_times: bool = False
    daily_budget: DailyBudget | None = None
    docs_url: str | None = None

    @property
    def rate_limits(self) -> tuple[RateLimit, ...]:
        if self.rate_limit is None:
            return ()
        return self.rate_limit if isinstance(self.rate_limit, tuple) else (self.rate_limit,)

    def paginator_of(self, endpoint: Endpoint) -> Paginator:
        """How a list is paged; files of a report are not, unless it says so."""
        return endpoint.paginator or (self.paginator if endpoint.job is None else _ONE_FILE)

    def data_selector_of(self, endpoint: Endpoint) -> str:
        """Where a list has its records; files of a report have nothing else, unless it says so."""
        if endpoint.data_selector is not None:
            return endpoint.data_selector
        return self.data_selector if endpoint.job is None else ""

    def has_epoch_times(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint's records have times as numbers, in seconds since 1970."""
        return self.epoch_times if endpoint.epoch_times is None else endpoint.epoch_times


@strict
@dataclass(frozen=True, kw_only=True)
class Contract:
    """Another wire protocol that serves the same tables, e.g. a live vendor's.

    Args:
        client: replaces the platform's (reference) client.
        endpoints: resource name -> where this contract serves it; other resources keep the reference's endpoint.
        title: the vendor's product, for people.
        base_url: where the vendor serves it; the setting `base_url` replaces it. A template has `config`.
        regions: value of the setting `region` -> the base URL there. Then `base_url` is where an account is that names
            no region; without it the region must be named.
        unserved: resource name -> why the vendor does not serve it. Its table stays as it is.
        version: the vendor's name for this version of the API.
    """

    client: Client
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    title: str | None = None
    base_url: str | Template | None = None
    regions: Mapping[str, str] = field(default_factory=dict)
    unserved: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class Scope:
    """A setting that narrows which parents are read.

    Args:
        setting: key under `[sources.<platform>]`; a text, or a list of them.
        resource, field: keep only parent rows of `resource` whose `field` is among the setting's values.
    """

    setting: str
    resource: str
    field: str


@dataclass(frozen=True)
class _Named:
    """Settings that a contract names, each once: those it needs, with and without its address, and the others."""

    needed: tuple[str, ...]
    when_located: tuple[str, ...]
    optional: tuple[str, ...]
    listed: tuple[str, ...]

    @classmethod
    def in_(cls, address: object, *others: object) -> Self:
        return cls(
            settings_named(address, *others),
            settings_named(*others),
            optional_settings(address, *others),
            listed_settings(address, *others),
        )


@strict
@dataclass(frozen=True, kw_only=True)
class Platform:
    """One API family: dlt source name, warehouse schema, Dagster group and asset key prefix in one.

    Args:
        name: snake_case; names the schema, the group, the asset keys and the settings' section.
        title, description: for people, in the UI.
        base_url: where the contract `reference` is served; the setting `base_url` replaces it. A platform with it
            counts as configured. A template has `config`: `https://{{ config.subdomain }}.example.com`.
        client: with each resource's `endpoint` it is the contract `reference`.
        resources: at least one.
        contracts: name -> another contract that serves the same tables, chosen by the setting `contract`.
        primary_key: field, unless a resource says otherwise.
        freshness: allowed lag, unless a resource says otherwise.
        cadence: schedules; give each platform different minutes.
        owners: `team:<name>` or e-mail addresses.
        scopes: settings that narrow which parents are read.
        column_descriptions: what fields mean, for people: `<field>` for what it means in every table, or
            `<resource>.<field>` for what it means in one. A field may have none.
        unserved: resource name -> why the contract that is applied does not serve it; declared by the contract.
        reference: the platform as declared, if a contract is applied.
    """

    name: str
    title: str
    description: str
    base_url: str | Template | None = None
    client: Client
    resources: tuple[Resource, ...]
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    primary_key: str = "id"
    freshness: Freshness = _DEFAULT_FRESHNESS
    cadence: Cadence = _DEFAULT_CADENCE
    owners: tuple[str, ...] = ("team:data-platform",)
    scopes: tuple[Scope, ...] = ()
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    unserved: Mapping[str, str] = field(default_factory=dict, metadata=_DERIVED)
    reference: "Platform | None" = field(default=None, metadata=_DERIVED)

    def resource(self, name: str) -> Resource:
        """The resource called `name`. Raises KeyError if it does not exist."""
        for resource in self.resources:
            if resource.name == name:
                return resource
        raise KeyError(f"{self.name} has no resource {name!r}")

    def auth_of(self, endpoint: Endpoint | None) -> Auth:
        """The credential of an endpoint's requests; the client's own requests have the client's."""
        return self.client.auth if endpoint is None or endpoint.auth is None else endpoint.auth

    @cached_property
    def auths(self) -> tuple[Auth, ...]:
        """The credentials of the contract that is applied, each once: the client's first."""
        found = [self.client.auth]
        for resource in self.resources:
            for endpoint in resource.endpoint.lists if resource.name not in self.unserved else ():
                if endpoint.auth is not None and endpoint.auth not in found:
                    found.append(endpoint.auth)
        return tuple(found)

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Settings that are a credential under any contract, which no template may name."""
        declared = self.reference or self
        applied = map(declared.with_contract, declared.contract_names)
        return tuple(dict.fromkeys(name for one in applied for auth in one.auths for name in auth.secrets))

    @property
    def contract_names(self) -> tuple[str, ...]:
        return (REFERENCE, *self.contracts)

    def with_contract(self, contract: str) -> "Platform":
        """The same tables, read from the endpoints of `contract`. Raises KeyError for an unknown contract."""
        if contract == REFERENCE:
            return self
        chosen = self.contracts[contract]
        resources = tuple(
            replace(resource, endpoint=chosen.endpoints.get(resource.name, resource.endpoint))
            for resource in self.resources
        )
        return replace(self, client=chosen.client, resources=resources, unserved=chosen.unserved, reference=self)

    def configured_of(self, contract: str, *, is_located: bool = False) -> tuple[str, ...]:
        """Settings that the contract's addresses, paths, parameters, headers and templates need, each once.

        Args:
            is_located: whether the setting `base_url` replaces the contract's address, which then needs none.
        """
        named = self._named[contract]
        return named.when_located if is_located else named.needed

    def optional_of(self, contract: str) -> tuple[str, ...]:
        """Settings that the contract's templates name and can do without, each once."""
        return self._named[contract].optional

    def listed_of(self, contract: str) -> tuple[str, ...]:
        """Settings that a value of the contract's requests is sent once for each of, each once."""
        return self._named[contract].listed

    @cached_property
    def _named(self) -> Mapping[str, _Named]:
        """Contract -> the settings it names; asked at every turn, and found by a walk through all declarations."""
        return {contract: _Named.in_(*self._filled(contract)) for contract in (self.reference or self).contract_names}

    def _filled(self, contract: str) -> tuple[object, ...]:
        """What settings fill of a contract; its address first."""
        declared = self.reference or self
        if contract == REFERENCE:
            return declared.base_url, declared.client, *(resource.endpoint for resource in declared.resources)
        chosen = declared.contracts[contract]
        return chosen.base_url, chosen.client, *chosen.endpoints.values()

    def every_endpoint(self, resource: Resource) -> tuple[Endpoint, ...]:
        """Where the reference and each contract serve a resource: a table has the same columns under all of them."""
        declared = self.reference or self
        reference = next((one.endpoint for one in declared.resources if one.name == resource.name), resource.endpoint)
        endpoints = (contract.endpoints.get(resource.name) for contract in declared.contracts.values())
        return (reference, *(endpoint for endpoint in endpoints if endpoint is not None))

    def primary_key_of(self, resource: Resource) -> tuple[str, ...]:
        key = self.primary_key if resource.primary_key is None else resource.primary_key
        return (key,) if isinstance(key, str) else key or (CONTENT_KEY,)

    def paginator_of(self, resource: Resource) -> Paginator:
        return self.client.paginator_of(resource.endpoint)

    def data_selector_of(self, resource: Resource) -> str:
        return self.client.data_selector_of(resource.endpoint)

    def description_of(self, resource: Resource, field_name: str) -> str | None:
        """What a field means in a resource's table; None if nothing was declared."""
        shared = self.column_descriptions.get(field_name)
        return self.column_descriptions.get(f"{resource.name}.{field_name}", shared)

    def docs_url_of(self, resource: Resource) -> str | None:
        """The vendor's documentation of a resource: its endpoint's page, or the API's.

        The reference has no vendor: without links of its own it takes those of the first contract that has any.
        """
        own = resource.endpoint.docs_url or self.client.docs_url
        if own is not None or self.reference is not None:
            return own
        contracts = self.contracts.values()
        pages = [endpoint.docs_url for one in contracts if (endpoint := one.endpoints.get(resource.name))]
        return next(filter(None, [*pages, *(one.client.docs_url for one in contracts)]), None)

    def error_handler_of(self, endpoint: Endpoint | None) -> ErrorHandler:
        """How responses of an endpoint are judged; the client's own requests have none."""
        return self.client.error_handler if endpoint is None else endpoint.error_handler or self.client.error_handler

    def freshness_of(self, resource: Resource) -> Freshness:
        return resource.freshness or self.freshness
