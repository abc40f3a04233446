"""An incremental cursor from the names of a list's query parameters and of its records' times."""

from dataclasses import dataclass
from datetime import timedelta

from platform_assets.declarations import Incremental
from platform_assets.platform_files.openapi.schemas import plain_name
from platform_assets.platform_files.openapi.specification import Operation

_UPDATED = (
    "updated_since", "modified_since", "updated_after", "modified_after", "changed_since", "updated_at_min",
    "updated_from", "modified_from", "last_modified_after", "updated_at_gte", "updated_gte", "updated_at_from",
)  # fmt: skip
_CREATED = (
    "created_since", "created_after", "created_at_min", "created_from", "created_at_gte", "created_gte",
)  # fmt: skip
_ANY = ("since", "from", "start_date", "start_time", "from_date", "date_from")
_UPDATES = (
    "updated_at", "updated", "modified_at", "modified", "last_modified", "last_updated", "last_modified_at",
    "last_updated_at", "updated_on", "modified_on", "update_time", "updated_time", "date_updated", "date_modified",
    "changed_at",
)  # fmt: skip
_CREATIONS = ("created_at", "created", "created_on", "create_time", "created_time", "date_created", "creation_date")
_LAG = timedelta(minutes=5)


@dataclass(frozen=True)
class Filtering:
    """How a list is filtered by time.

    Attributes:
        incremental: None if it is read in full.
        notes: what was assumed, or why a filter is not used.
    """

    incremental: Incremental | None
    notes: tuple[str, ...] = ()


def filtering_of(operation: Operation, columns: dict[str, str]) -> Filtering:
    """The cursor that a list's parameters mean, if the field that it filters is among the records' times."""
    by_name = {plain_name(name): one for name, one in operation.query().items()}
    times = {plain_name(name): name for name, kind in columns.items() if kind == "timestamp"}
    for names, fields in ((_UPDATED, _UPDATES), (_ANY, (*_UPDATES, *_CREATIONS)), (_CREATED, _CREATIONS)):
        parameter = next((by_name[name] for name in names if name in by_name), None)
        if parameter is None:
            continue
        field = next((times[name] for name in fields if name in times), None)
        if field is None:
            return Filtering(
                None, (f"`{parameter.name}` filters by a time that the records do not have: read in full",)
            )
        kind, form = parameter.schema.get("type"), parameter.schema.get("format")
        if kind not in (None, "string"):
            return Filtering(None, (f"`{parameter.name}` takes no text: read in full",))
        notes = [f"`{parameter.name}` is taken for an inclusive lower bound of `{field}`"] if names is _ANY else []
        if plain_name(field) in _CREATIONS:
            notes.append(f"`{field}` does not move when a record changes: changes come with a full refresh only")
        if form == "date":
            notes.append(f"`{parameter.name}` takes a day: each read begins with the day of the last one")
            return Filtering(
                Incremental(cursor_path=field, start_param=parameter.name, format="%Y-%m-%d", lag=_LAG), tuple(notes)
            )
        return Filtering(Incremental(cursor_path=field, start_param=parameter.name, lag=_LAG), tuple(notes))
    return Filtering(None)
