"""The table `_sync_source`: whose data a platform's tables hold, recorded before the first rows are loaded.

Rows of two accounts must never be in one table: ids of one would overwrite the other's, and the cursor of one would
hide the other's rows. So every sync compares the configured account with the recorded one before it reads anything.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from platform_assets.configuration.platform_settings import Settings, is_loopback
from platform_assets.declarations import Account, Platform, PlatformAssetsError
from platform_assets.http.errors import AnswerError, RequestFailed
from platform_assets.http.selection import Record, get_path

if TYPE_CHECKING:
    from dlt.destinations.sql_client import SqlClientBase

    from platform_assets.http.client import ApiClient
    from platform_assets.warehouse.backends import Queries

TABLE = "_sync_source"
COLUMNS = (
    ("origin", "text"),
    ("contract", "text"),
    ("account", "text"),
    ("credential", "text"),
)
# Origin of what our own sandbox serves, on whatever port it listens.
SANDBOX = "the sandbox"


class AnotherAccount(PlatformAssetsError):
    """The settings point at another account than the one whose rows are in the warehouse; nothing was read."""


@dataclass(frozen=True)
class Source:
    """Where a platform's rows come from.

    Attributes:
        origin: the base URL, or `SANDBOX`.
        contract: name of the contract that served it.
        account: short digests of values that no other account has (e.g. organization ids); empty if unknown.
        credential: salt and a digest of 24 bits, enough to notice another credential, too short to guess it from.
    """

    origin: str
    contract: str
    account: frozenset[str] = frozenset()
    credential: str = ""

    def is_certainly(self, settings: Settings) -> bool:
        """Whether no setting has changed since this was recorded, so that no request is needed to know the account."""
        return (
            self.origin == origin_of(settings)
            and self.contract == settings.contract
            and self.credential == _credential_mark(settings, self.credential.partition(":")[0])
        )

    def problem_with(self, current: Source, loaded: frozenset[str]) -> str | None:
        """Why `current`, which the settings name, is another account; None if nothing says so.

        Args:
            loaded: digests of the account's values that the tables hold now.
        """
        if self.origin != current.origin:
            return f"holds the data of {self.origin}, and the settings point at {current.origin}"
        known = self.account | loaded
        if known and current.account and not known & current.account:
            return f"holds the data of another account at {self.origin} than the credential's"
        return None


def origin_of(settings: Settings) -> str:
    """The base URL with its host in lower case; `SANDBOX` for our own sandbox, whose port changes."""
    parts = urlsplit(settings.base_url)
    if is_loopback(parts.hostname or "") and settings.token.startswith("sandbox-"):
        return SANDBOX
    return parts._replace(netloc=parts.netloc.lower()).geturl()


def current_source(platform: Platform, settings: Settings, client: ApiClient | None) -> Source:
    """The source that the settings name.

    Args:
        client: sends one cheap request for the account, if the platform declares one; None leaves it unknown.
    """
    origin = origin_of(settings)
    return Source(
        origin=origin,
        contract=settings.contract,
        account=_account_digests(platform, client) if client is not None and origin != SANDBOX else frozenset(),
        credential=_credential_mark(settings, secrets.token_hex(4)),
    )


def _credential_mark(settings: Settings, salt: str) -> str:
    # A stack or an organization that the settings name is another account under the same credential.
    named = "".join(f"\n{name}={','.join(values)}" for name, values in sorted(settings.configured.items()))
    digest = blake2b(f"{settings.token}{named}".encode(), key=salt.encode(), digest_size=3).hexdigest()
    return f"{salt}:{digest}"


def _account_digests(platform: Platform, client: ApiClient) -> frozenset[str]:
    """Digests of the values that identify the account; none if the server does not give them."""
    account = platform.client.account
    if account is None:
        return frozenset()
    try:
        records = account_records(account, client)
    except (AnswerError, RequestFailed):
        return frozenset()  # The read itself will report what is wrong.
    values = [tuple(get_path(record, field) for field in account.fields) for record in records]
    return digests(value for value in values if None not in value)


def account_records(account: Account, client: ApiClient) -> list[Record]:
    """The records that identify the account, by one request. Raises what the request does."""
    body = client.get(account.path, dict(account.params)).body
    listed = get_path(body, account.data_selector) if account.data_selector else body
    return [record for record in listed if isinstance(record, dict)] if isinstance(listed, list) else []


def digests(values: Iterable[tuple[Any, ...]]) -> frozenset[str]:
    """A short digest of each value."""
    texts = {repr([_plain(part) for part in value]) for value in values}
    return frozenset(blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest() for text in texts)


def _plain(value: object) -> str:
    """The same text for 7, 7.0, "7" and "007": another spelling is not another account."""
    text = str(value)
    return text.removesuffix(".0").lstrip("0") if text.removesuffix(".0").isdecimal() else text


def read(client: Queries) -> Source | None:
    """The recorded source, None if there is none. Raises what `client` raises before the table was made."""
    columns = ", ".join(client.escape_column_name(name) for name, _ in COLUMNS)
    rows = client.execute_sql(f"SELECT {columns} FROM {client.make_qualified_table_name(TABLE)}")
    for origin, contract, account, credential in rows or ():
        return Source(str(origin), str(contract), frozenset(json.loads(account)), str(credential))
    return None


def would_change(before: Source | None, source: Source) -> bool:
    """Whether `write` of `source` would change what is recorded as `before`."""
    return before != _kept(before, source)


def _kept(before: Source | None, source: Source) -> Source:
    """`source` with the account that is known of its origin."""
    if before is None or before.origin != source.origin:
        return source
    return replace(source, account=source.account or before.account)


def write(client: SqlClientBase[Any], source: Source) -> None:
    """Replace the recorded source; a known account of the same origin stays known. Call inside a transaction."""
    before = read(client)
    if not would_change(before, source):
        return
    source = _kept(before, source)
    target = client.make_qualified_table_name(TABLE)
    client.execute_sql(f"DELETE FROM {target}")
    client.execute_sql(
        f"INSERT INTO {target} ({', '.join(client.escape_column_name(name) for name, _ in COLUMNS)})"
        " VALUES (%s, %s, %s, %s)",
        source.origin,
        source.contract,
        json.dumps(sorted(source.account)),
        source.credential,
    )
