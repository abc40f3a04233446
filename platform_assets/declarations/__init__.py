"""The words a platform is declared in; key names are those of dlt's `RESTAPIConfig`.

Nothing here reads a network, a file or a secret, and nothing here imports Dagster or dlt.
"""

from platform_assets.declarations.errors import DeclarationError, MisspeltError, PlatformAssetsError, SettingsError
from platform_assets.declarations.incremental import Cadence, Freshness, Incremental
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
