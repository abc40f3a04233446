"""Agreement, before anything is read, on whose rows the warehouse holds."""

from dataclasses import replace

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform
from platform_assets.http.client import ApiClient
from platform_assets.warehouse import Warehouse
from platform_assets.warehouse.location import warehouse_name
from platform_assets.warehouse.session import WarehouseSession
from platform_assets.warehouse.source_account import AnotherAccount, Source, current_source, digests


def agree_on_source(
    platform: Platform, settings: Settings, warehouse: Warehouse, client: ApiClient, *, only_look: bool = False
) -> Source:
    """Whose rows will be read. Raises AnotherAccount where the warehouse holds another account's.

    Empty tables that another account left are dropped, unless it is `only_look`.

    Which account it is, is asked with the warehouse free, and only where the settings are not those on record.
    """
    with warehouse.session() as session:
        recorded = recorded_source(platform, settings, session)
        if recorded is not None:
            return recorded
        refuse_another_account(platform, settings, session, current_source(platform, settings, None))
    current = current_source(platform, settings, client)
    with warehouse.session() as session:
        has_leftovers = refuse_another_account(platform, settings, session, current)
    if has_leftovers and not only_look:
        # The cursors of another account must not count.
        warehouse.start_over()
    return current


def refuse_another_account(platform: Platform, settings: Settings, session: WarehouseSession, current: Source) -> bool:
    """Raise AnotherAccount where the tables have another account's rows; whether its empty tables are left."""
    recorded = session.source()
    problem = None
    if recorded is not None and not recorded.is_certainly(settings):
        problem = recorded.problem_with(current, _loaded(platform, session))
    if problem is not None and session.holds_rows():
        raise AnotherAccount(
            f"{platform.name}: the warehouse {warehouse_name()} {problem}: choose another warehouse, or drop this"
            f" platform's rows and load it afresh with `platform-assets sync --platform {platform.name} --start-over`"
        )
    return problem is not None


def recorded_source(platform: Platform, settings: Settings, session: WarehouseSession) -> Source | None:
    """The source on record, where nothing says that the settings name another; with what the tables hold of it now.

    A run beside this one may record itself, under another credential, before this one lands.
    """
    recorded = session.source()
    if recorded is None or not recorded.is_certainly(settings):
        return None
    return replace(recorded, account=recorded.account | _loaded(platform, session))


def _loaded(platform: Platform, session: WarehouseSession) -> frozenset[str]:
    """Digests of the values that tell the account, as the tables hold them now."""
    account = platform.client.account
    if account is None or not session.column_types(account.resource):
        return frozenset()
    columns = [session.naming.normalize_identifier(field) for field in account.fields]
    rows = (row for chunk in session.current_values(account.resource, columns) for row in chunk)
    return digests(rows)
