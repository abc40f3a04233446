"""Settings that a manifest marks as secrets, and that only say whose data is read: `realm_id` in a path."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.config_paths import settings_asked_for
from platform_assets.importing.manifest.settings import ConfigSettings

# What the name of a credential has in it.
_CREDENTIAL = re.compile(r"key|token|secret|pass|pwd|auth|cred|signature|hash", re.IGNORECASE)
_ADDRESS = ("url", "url_base", "path")
_BESIDE = ("request_headers", "request_parameters")
_TOKEN_ADDRESS = "token_refresh_endpoint"  # noqa: S105 -- a word of the language
_BOUGHT = ("OAuthAuthenticator", "SessionTokenAuthenticator", "LegacySessionTokenAuthenticator")


def with_plain_identifiers(
    settings: ConfigSettings, components: Iterable[Mapping[str, Any]], findings: Findings
) -> ConfigSettings:
    """The settings, of which identifiers in addresses, or sent beside a token that is bought, are no secrets.

    A secret can stand in neither place. One whose name is that of a credential, or that an authenticator has, stays.
    """
    named: dict[str, None] = {}
    credentials: set[str] = set()
    seen: set[int] = set()
    for requester in (one for component in components for one in _requesters(component)):
        if id(requester) in seen:
            continue
        seen.add(id(requester))
        authenticator = requester.get("authenticator")
        keys = (*_ADDRESS, *_BESIDE) if _is_bought(authenticator) else _ADDRESS
        named |= dict.fromkeys(_names(settings, [requester.get(key) for key in keys]))
        if id(authenticator) not in seen:
            seen.add(id(authenticator))
            credentials.update(_names(settings, [_without_address(authenticator)]))
    plain = [
        name for name in named if settings.is_secret(name) and name not in credentials and not _CREDENTIAL.search(name)
    ]
    for name in plain:
        why = "is marked secret, and is an identifier in an address, which is logged, or beside the credential"
        findings.assumed(None, "settings", f"`{name}` {why}: it is an ordinary setting here")
    return settings.with_plain(plain)


def _requesters(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of a stream's retriever; of a report there are several."""
    retriever = component.get("retriever")
    for key, found in retriever.items() if isinstance(retriever, Mapping) else ():
        if str(key).endswith("requester") and isinstance(found, Mapping):
            yield found


def _without_address(authenticator: Any) -> Any:
    """An authenticator without the address of its token, in which there are identifiers and no secrets."""
    if not isinstance(authenticator, Mapping):
        return authenticator
    return {key: value for key, value in authenticator.items() if key != _TOKEN_ADDRESS}


def _is_bought(authenticator: Any) -> bool:
    if not isinstance(authenticator, Mapping):
        return False
    options = authenticator.get("authenticators")
    every = [authenticator, *(options.values() if isinstance(options, Mapping) else ())]
    return any(isinstance(one, Mapping) and one.get("type") in _BOUGHT for one in every)


def _names(settings: ConfigSettings, written: list[Any]) -> list[str]:
    return [settings.name(path) for path in settings_asked_for(written) if path]
