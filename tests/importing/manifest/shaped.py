"""Transformations, each with what becomes of the vendor's items; `cases.CASES` has a manifest of each."""

from typing import Any

from tests.importing.manifest.api import ITEMS, Record

Json = dict[str, Any]


def adding(*fields: tuple[list[str], str], condition: str | None = None, kind: str | None = None) -> Json:
    """An `AddFields` of paths and values."""
    entries: list[Json] = [{"type": "AddedFieldDefinition", "path": path, "value": value} for path, value in fields]
    if kind is not None:
        entries = [{**one, "value_type": kind} for one in entries]
    found: Json = {"type": "AddFields", "fields": entries}
    return found if condition is None else {**found, "condition": condition}


def removing(*pointers: list[str], condition: str | None = None) -> Json:
    found: Json = {"type": "RemoveFields", "field_pointers": list(pointers)}
    return found if condition is None else {**found, "condition": condition}


def lifting(*path: str, **more: Any) -> Json:
    """A `DpathFlattenFields`."""
    return {"type": "DpathFlattenFields", "field_path": list(path), **more}


def _without(one: Record, *names: str) -> Record:
    return {key: value for key, value in one.items() if key not in names}


def _internal(one: Record) -> Record:
    """The fields of `internal`, of which the record has one already."""
    return {"rank": one["internal"]["rank"], "internal_note": one["internal"]["note"]}


def _flat(one: Record) -> Record:
    tags = {f"tags_{place}": tag for place, tag in enumerate(one["tags"])}
    # What an object has behind a list is called after the object too.
    inner = {f"price_{name}" if tags else name: value for name, value in one["price"].items()}
    return {**_without(one, "price", "tags", "internal"), **tags, **_internal(one), **inner}


_PRICED = {"type": "KeyTransformation", "prefix": "price_", "suffix": "_now"}

# Name -> transformations, and the rows.
SHAPED: dict[str, tuple[list[Json], list[Record]]] = {
    "a field of a removed one's name": (
        [removing(["name"]), adding((["name"], "{{ record.id ~ '!' }}"))],
        [{**one, "name": f"{one['id']}!"} for one in ITEMS],
    ),
    "a field of an object that was made flat": (
        [lifting("price", delete_origin_value=True), adding((["twice"], "{{ record.amount * 2 }}"))],
        [{**_without(one, "price"), **one["price"], "twice": one["price"]["amount"] * 2} for one in ITEMS],
    ),
    "a record that one of its objects replaces": (
        [adding((["internal", "id"], "{{ record.id }}")), lifting("internal", replace_record=True)],
        [{**one["internal"], "id": one["id"]} for one in ITEMS],
    ),
    "an object made flat with a prefix and a suffix": (
        [lifting("price", key_transformation=_PRICED)],
        [{**one, **{f"price_{name}_now": value for name, value in one["price"].items()}} for one in ITEMS],
    ),
    "an object that has a field's name stays": (
        [adding((["currency"], "here before")), lifting("price", delete_origin_value=True)],
        [{**one, "currency": "here before"} for one in ITEMS],
    ),
    "fields added to some records": (
        [
            adding((["price", "big"], "{{ True }}"), condition="{{ record.price.amount > 10 }}"),
            adding((["half"], "{{ record.id // 2 }}"), condition="{{ value > 5 }}"),
        ],
        [
            {
                **one,
                "price": {**one["price"], **({"big": True} if one["price"]["amount"] > 10 else {})},
                **({"half": one["id"] // 2} if one["id"] // 2 > 5 else {}),
            }
            for one in ITEMS
        ],
    ),
    "fields with types": (
        [
            adding((["number"], "7"), (["flag"], "True")),
            adding((["text"], "7"), (["shown"], "{{ record.id }}"), kind="string"),
            adding((["count"], "{{ record.id ~ '0' }}"), kind="integer"),
        ],
        [
            {**one, "number": 7, "flag": True, "text": "7", "shown": str(one["id"]), "count": one["id"] * 10}
            for one in ITEMS
        ],
    ),
    "the time of the read where a field is missing": (
        [adding((["at"], "{{ record.get('updated_at', now_utc().isoformat()) }}"))],
        [{**one, "at": one["updated_at"]} for one in ITEMS],
    ),
    "removals by patterns": (
        [removing(["inter*"], ["price", "c?rrency"], ["tags", "0"], ["no", "such"])],
        [
            {
                **_without(one, "internal"),
                "price": {"amount": one["price"]["amount"]},
                "tags": [None, "b"] if len(one["tags"]) > 1 else [],
            }
            for one in ITEMS
        ],
    ),
    "removals by a condition": (
        [removing(["**"], condition="{{ property | string == 'EUR' or property is none }}")],
        [{**one, "price": {"amount": one["price"]["amount"]}} for one in ITEMS],
    ),
    "keys replaced": (
        [
            {"type": "KeysReplace", "old": "amount", "new": "total"},
            adding((["total"], "{{ record.price.total }}")),
        ],
        [
            {
                **one,
                "price": {"total": one["price"]["amount"], "currency": "EUR"},
                "total": one["price"]["amount"],
            }
            for one in ITEMS
        ],
    ),
    "keys in snake case": (
        [adding((["price", "inclVAT"], "1")), {"type": "KeysToSnakeCase"}],
        [{**one, "price": {**one["price"], "incl_vat": 1}} for one in ITEMS],
    ),
    "keys in small letters": (
        [
            adding((["Big One"], "1")),
            {"type": "KeysToLower"},
            adding((["found"], "{{ record['big one'] }}")),
            removing(["big one"]),
        ],
        [{**one, "found": 1} for one in ITEMS],
    ),
    "everything made flat": ([{"type": "FlattenFields"}], [_flat(one) for one in ITEMS]),
    "objects made flat": (
        [{"type": "FlattenFields", "flatten_lists": False}],
        [{**_without(one, "price", "internal"), **one["price"], **_internal(one)} for one in ITEMS],
    ),
}
