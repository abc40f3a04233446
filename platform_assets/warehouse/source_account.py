"""Whose data a platform's tables hold: recorded with the first rows, compared before anything is read.

Rows of two accounts must never meet in one table: ids of one would overwrite the other's, and the cursor of one
hides the other's rows. So the warehouse remembers where its rows came from.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from dlt.destinations.sql_client import SqlClientBase

from platform_assets.configuration.platform_settings import Settings, is_loopback
from platform_assets.declarations import Platform, PlatformAssetsError
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from platform_assets.http.selection import get_path

TABLE = "_sync_source"
COLUMNS = (
    ("origin", "text"),
    ("contract", "text"),
    ("account", "text"),
    ("credential", "text"),
)
SANDBOX = "the sandbox"
"""Origin of what our own sandbox serves, on whatever port it listens this time."""


class AnotherAccount(PlatformAssetsError):
    """The settings point at another account than the one whose rows are in the warehouse; nothing was read."""


@dataclass(frozen=True)
class Source:
    """Where a platform's rows come from.

    Attributes:
        origin: the base URL, or `SANDBOX`.
        contract: name of the contract that served it.
        account: short digests of values that no other account has (e.g. organization ids); empty where unknown.
        credential: salt and a digest of 24 bits, enough to notice another credential and too short to find it.
    """

    origin: str
    contract: str
    account: frozenset[str] = frozenset()
    credential: str = ""

    def is_certainly(self, settings: Settings) -> bool:
        """Whether nothing has changed since this was recorded, so that nobody has to be asked."""
        return (
            self.origin == origin_of(settings)
            and self.contract == settings.contract
            and self.credential == _credential_mark(settings, self.credential.partition(":")[0])
        )

    def problem_with(self, current: "Source", loaded: frozenset[str]) -> str | None:
        """Why `current`, which the settings name, is another account; None where nothing says so.

        `loaded` are the digests of the account's values that the tables hold now.
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
    """The source that the settings name; `client` asks which account it is, where one cheap request tells."""
    origin = origin_of(settings)
    return Source(
        origin=origin,
        contract=settings.contract,
        account=_ask(platform, client) if client is not None and origin != SANDBOX else frozenset(),
        credential=_credential_mark(settings, secrets.token_hex(4)),
    )


def _credential_mark(settings: Settings, salt: str) -> str:
    digest = blake2b(settings.token.encode(), key=salt.encode(), digest_size=3).hexdigest()
    return f"{salt}:{digest}"


def _ask(platform: Platform, client: ApiClient) -> frozenset[str]:
    """Digests of the values that tell the account; none where the server does not say."""
    account = platform.client.account
    if account is None:
        return frozenset()
    try:
        body = client.get(account.path, dict(account.params)).body
    except (AnswerError, RequestFailed):
        return frozenset()  # The read itself will say what is wrong.
    found = get_path(body, account.data_selector) if account.data_selector else body
    records = [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []
    values = [tuple(get_path(record, field) for field in account.fields) for record in records]
    return digests(value for value in values if None not in value)


def digests(values: Iterable[tuple[Any, ...]]) -> frozenset[str]:
    """A short digest of each value."""
    texts = {repr([_plain(one) for one in value]) for value in values}
    return frozenset(blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest() for text in texts)


def _plain(value: object) -> str:
    """7, 7.0, "7" and "007" alike: another spelling is no other account."""
    text = str(value)
    return text.removesuffix(".0").lstrip("0") if text.removesuffix(".0").isdecimal() else text


def read(client: SqlClientBase[Any]) -> Source | None:
    """The recorded source, None where there is none."""
    columns = ", ".join(client.escape_column_name(name) for name, _ in COLUMNS)
    rows = client.execute_sql(f"SELECT {columns} FROM {client.make_qualified_table_name(TABLE)}")
    for origin, contract, account, credential in rows or ():
        return Source(str(origin), str(contract), frozenset(json.loads(account)), str(credential))
    return None


def write(client: SqlClientBase[Any], source: Source) -> None:
    """Replace the recorded source; an account that is known stays known. Call inside a transaction."""
    before = read(client)
    if before is not None and before.origin == source.origin:
        source = replace(source, account=source.account or before.account)
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
