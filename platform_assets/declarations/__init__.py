"""The classes a platform is declared with; their keys are named as in dlt's `RESTAPIConfig`.

A declaration says what is loaded and never how. So nothing in this package reads a network, a file or a secret, and
nothing imports Dagster or dlt: a platform file can be checked in milliseconds.

    platform     API family: client, resources, contracts, schedule
    resource     one endpoint = one table = one asset, with `paginator`, `incremental`, `partition`, `freshness`
    detail       one more request per row, for fields that the list does not have
    strict       checks keys and values of each declaration when it is made
    validation   checks a whole platform when the definitions load: what the keys mean together
"""

from platform_assets.declarations.auth import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    HttpBasicAuth,
    NoAuth,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    SessionToken,
    TemplateAuth,
    optional_secrets,
    secrets_of,
)
from platform_assets.declarations.cadence import Cadence
from platform_assets.declarations.detail import BodyText, Detail, Every, Newest
from platform_assets.declarations.error_handler import (
    Backoff,
    ConstantBackoff,
    ErrorHandler,
    ExponentialBackoff,
    HeaderBackoff,
    HeaderUntil,
    ResponseAction,
)
from platform_assets.declarations.errors import DeclarationError, MisspeltError, PlatformAssetsError, SettingsError
from platform_assets.declarations.freshness import Freshness
from platform_assets.declarations.incremental import Incremental, TooDeep
from platform_assets.declarations.paginator import (
    ComputedCursor,
    Cursor,
    HeaderCursor,
    HeaderLink,
    JsonLink,
    Offset,
    PageNumber,
    Paginator,
    RecordCursor,
    SingleObject,
    SinglePage,
    UnsizedPages,
)
from platform_assets.declarations.partition import Buckets, DynamicPartitions, partition_key, path_values
from platform_assets.declarations.platform import (
    REFERENCE,
    Account,
    Client,
    Contract,
    DailyBudget,
    Grant,
    Platform,
    Scope,
)
from platform_assets.declarations.portions import ListedPortions, Portions
from platform_assets.declarations.rate_limit import RateLimit
from platform_assets.declarations.record_shape import (
    AddFields,
    Flatten,
    FlattenAll,
    RecordShape,
    RecordStep,
    RemoveFields,
    RenameKeys,
)
from platform_assets.declarations.report_job import JobRequest, ReportJob
from platform_assets.declarations.resource import (
    CONTENT_KEY,
    DATA_TYPES,
    Configured,
    Deprecation,
    Endpoint,
    Envelope,
    FanOut,
    Listed,
    OnRemoval,
    ParentBatch,
    Resolve,
    Resource,
)
from platform_assets.declarations.response_format import Csv, Gzip, Json, JsonLines, Lines, ResponseFormat, Xml, Zip
from platform_assets.declarations.template import Template
from platform_assets.declarations.validation import validate

__all__ = [
    "CONTENT_KEY",
    "DATA_TYPES",
    "REFERENCE",
    "Account",
    "AddFields",
    "ApiKeyAuth",
    "Auth",
    "Backoff",
    "BearerAuth",
    "BodyText",
    "Buckets",
    "Cadence",
    "Client",
    "ComputedCursor",
    "Configured",
    "ConstantBackoff",
    "Contract",
    "Csv",
    "Cursor",
    "DailyBudget",
    "DeclarationError",
    "Deprecation",
    "Detail",
    "DynamicPartitions",
    "Endpoint",
    "Envelope",
    "ErrorHandler",
    "Every",
    "ExponentialBackoff",
    "FanOut",
    "Flatten",
    "FlattenAll",
    "Freshness",
    "Grant",
    "Gzip",
    "HeaderBackoff",
    "HeaderCursor",
    "HeaderLink",
    "HeaderUntil",
    "HttpBasicAuth",
    "Incremental",
    "JobRequest",
    "Json",
    "JsonLines",
    "JsonLink",
    "Lines",
    "Listed",
    "ListedPortions",
    "MisspeltError",
    "Newest",
    "NoAuth",
    "OAuth2ClientCredentials",
    "OAuth2RefreshToken",
    "Offset",
    "OnRemoval",
    "PageNumber",
    "Paginator",
    "ParentBatch",
    "Platform",
    "PlatformAssetsError",
    "Portions",
    "RateLimit",
    "RecordCursor",
    "RecordShape",
    "RecordStep",
    "RemoveFields",
    "RenameKeys",
    "ReportJob",
    "Resolve",
    "Resource",
    "ResponseAction",
    "ResponseFormat",
    "Scope",
    "SessionToken",
    "SettingsError",
    "SingleObject",
    "SinglePage",
    "Template",
    "TemplateAuth",
    "TooDeep",
    "UnsizedPages",
    "Xml",
    "Zip",
    "optional_secrets",
    "partition_key",
    "path_values",
    "secrets_of",
    "validate",
]
