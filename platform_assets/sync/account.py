"""Checks, before anything is read, that the warehouse's rows are of the account that the settings name.

Usually the recorded source still matches the settings and no request is made. Only where they differ is the API asked
which account the credential belongs to, with the warehouse free meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from platform_assets.declarations import Platform
from platform_assets.http.client import ApiClient
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.location import warehouse_name
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import AnotherAccount, Source, current_source, digests


def agree_on_source(client: ApiClient, warehouse: Warehouse, *, read_only: bool = False) -> Source:
    """The source whose rows will be read, as `agreed_session` has it."""
    with agreed_session(client, warehouse, read_only=read_only) as (source, _):
        return source


@contextmanager
def agreed_session(
    client: ApiClient, warehouse: Warehouse, *, read_only: bool = False
) -> Iterator[tuple[Source, WarehouseSession]]:
    """The source whose rows will be read, and a session of the warehouse in which it is certain.

    Args:
        read_only: leave the empty tables of another account in place; otherwise they are dropped.

    Raises AnotherAccount if the warehouse has rows of another account.
    """
    with warehouse.session() as session:
        recorded = recorded_source(client, session)
        if recorded is not None:
            yield recorded, session
            return
        check_account(client, session, current_source(client.platform, client.settings, None))
    current = current_source(client.platform, client.settings, client)
    with warehouse.session() as session:
        has_leftovers = check_account(client, session, current)
        if read_only or not has_leftovers:
            yield current, session
            return
    # The cursors of another account must not count.
    warehouse.start_over()
    with warehouse.session() as session:
        yield current, session


def check_account(client: ApiClient, session: WarehouseSession, current: Source) -> bool:
    """Raise AnotherAccount if the tables have rows of another account than `current`.

    Returns whether another account left its tables without rows.
    """
    platform = client.platform
    recorded = session.source()
    problem = None
    if recorded is not None and not recorded.is_certainly(client.settings):
        problem = recorded.problem_with(current, _loaded_account(platform, session))
    if problem is not None and session.holds_rows():
        raise AnotherAccount(
            f"{platform.name}: the warehouse {warehouse_name()} {problem}: choose another warehouse, or drop this"
            f" platform's rows and load it afresh with `platform-assets sync --platform {platform.name} --start-over`"
        )
    return problem is not None


def recorded_source(client: ApiClient, session: WarehouseSession) -> Source | None:
    """The source on record, together with what the tables hold of its account now; None if the settings name another.

    The tables are looked at because a concurrent run may record itself, under another credential, before this one
    lands.
    """
    recorded = session.source()
    if recorded is None or not recorded.is_certainly(client.settings):
        return None
    return replace(recorded, account=recorded.account | _loaded_account(client.platform, session))


def _loaded_account(platform: Platform, session: WarehouseSession) -> frozenset[str]:
    """Digests of the values that identify the account, as the tables hold them now."""
    account = platform.client.account
    if account is None or not session.column_types(account.resource):
        return frozenset()
    columns = [session.naming.normalize_identifier(field) for field in account.fields]
    rows = (row for chunk in session.current_values(account.resource, columns) for row in chunk)
    return digests(rows)
