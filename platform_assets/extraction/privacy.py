"""What a user keeps out of the warehouse: fields that are left out, and personal values that are loaded as hashes."""

from collections.abc import Iterable
from hashlib import blake2b

from platform_assets.declarations import Platform, Resource, SettingsError
from platform_assets.http.lossless_json import as_json
from platform_assets.http.selection import Record

# Bytes of a hash: enough that no two values of a warehouse share one.
_BYTES = 16


def excluded_fields(platform: Platform, resource: Resource, setting: Iterable[str]) -> tuple[str, ...]:
    """The fields of a resource that the setting `exclude_fields` leaves out, e.g. `emails` for `persons.emails`.

    Raises:
        SettingsError: an entry names no resource, or a field that keys, cursors or children need.
    """
    found = []
    for entry in setting:
        name, _, field = entry.partition(".")
        if name not in {one.name for one in platform.resources} or not field:
            raise SettingsError(f"{platform.name}: `exclude_fields`: {entry!r} is not `<resource>.<field>`")
        if name == resource.name:
            if field.split(".")[0] in _needed(platform, resource):
                raise SettingsError(f"{platform.name}: `exclude_fields`: {entry!r} is needed to load or to read on")
            found.append(field)
    return tuple(found)


def _needed(platform: Platform, resource: Resource) -> set[str]:
    """Fields of the resource without which nothing could be loaded."""
    lists = [one.incremental for one in resource.endpoint.lists if one.incremental]
    children = [
        resolve.field.split(".")[0]
        for other in platform.resources
        for resolve in other.endpoint.parents.values()
        if resolve.resource == resource.name
    ]
    reopened = [name for incremental in lists for name in incremental.reopen]
    cursors = [incremental.cursor_path for incremental in lists]
    return {*platform.primary_key_of(resource), *cursors, *reopened, *children}


def hash_fields(records: Iterable[Record], fields: Iterable[str], salt: str) -> None:
    """Replace values by their keyed hashes, in place; null stays null. Equal values have equal hashes.

    Args:
        fields: names of fields; their values may be nested.
        salt: the key, without which a hash could be looked up in a list of all e-mail addresses.
    """
    key = blake2b(salt.encode()).digest()
    for name in fields:
        for record in records:
            value = record.get(name)
            if value is not None:
                text = as_json(value, f"a value of `{name}`", sort_keys=True)
                record[name] = blake2b(text, key=key, digest_size=_BYTES).hexdigest()
