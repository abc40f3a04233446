"""The classes a platform is declared with; their keys are named as in dlt's `RESTAPIConfig`.

A declaration says what is loaded and never how. So nothing in this package reads a network, a file or a secret, and
nothing imports Dagster or dlt: a platform file can be checked in milliseconds.

    platform     API family: client, resources, contracts, schedule
    resource     one endpoint = one table = one asset, with `paginator`, `incremental`, `partition`, `freshness`
    strict       checks keys and values of each declaration when it is made
    validation   checks a whole platform when the definitions load: what the keys mean together
"""

from platform_assets.declarations.cadence import Cadence
from platform_assets.declarations.errors import DeclarationError, MisspeltError, PlatformAssetsError, SettingsError
from platform_assets.declarations.freshness import Freshness
from platform_assets.declarations.incremental import Incremental
from platform_assets.declarations.paginator import (
    Cursor,
    HeaderCursor,
    Offset,
    PageNumber,
    Paginator,
    SingleObject,
    SinglePage,
)
from platform_assets.declarations.partition import Buckets, DynamicPartitions, partition_key, path_values
from platform_assets.declarations.platform import (
    REFERENCE,
    Account,
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Client,
    Contract,
    ErrorHandler,
    Platform,
    RateLimit,
    Scope,
)
from platform_assets.declarations.resource import (
    DATA_TYPES,
    Endpoint,
    Envelope,
    FanOut,
    OnRemoval,
    Resolve,
    Resource,
)
from platform_assets.declarations.validation import validate

__all__ = [
    "DATA_TYPES",
    "REFERENCE",
    "Account",
    "ApiKeyAuth",
    "Auth",
    "BearerAuth",
    "Buckets",
    "Cadence",
    "Client",
    "Contract",
    "Cursor",
    "DeclarationError",
    "DynamicPartitions",
    "Endpoint",
    "Envelope",
    "ErrorHandler",
    "FanOut",
    "Freshness",
    "HeaderCursor",
    "Incremental",
    "MisspeltError",
    "Offset",
    "OnRemoval",
    "PageNumber",
    "Paginator",
    "Platform",
    "PlatformAssetsError",
    "RateLimit",
    "Resolve",
    "Resource",
    "Scope",
    "SettingsError",
    "SingleObject",
    "SinglePage",
    "partition_key",
    "path_values",
    "validate",
]
