"""How a list's records differ from the table's rows: fields renamed, added, made flat and removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template


@strict
@dataclass(frozen=True, kw_only=True)
class Flatten:
    """An object in a record whose fields become fields of the record itself. Lists stay as they are.

    Args:
        path: dotted path of the object; `*` for every object of the record. A number is a place in a list.
        separator: between the path's and the inner names. None keeps the inner names alone.
        deep: whether objects inside of it are flattened too.
        kept: whether the object stays beside its fields.
        prefix, suffix: before and behind the inner names.
        replaces: whether the fields, if there are any, take the place of the whole record.
        clash: what becomes of the object if the record has a field of one of the names: `path` writes that one with
            its path and `_`, `leave` leaves the object as it is.
    """

    path: str = "*"
    separator: str | None = "_"
    deep: bool = True
    kept: bool = False
    prefix: str = ""
    suffix: str = ""
    replaces: bool = False
    clash: Literal["path", "leave"] = "path"


@strict
@dataclass(frozen=True, kw_only=True)
class FlattenAll:
    """A record without objects: what is in them has its own name, or one with its path and dots if that is taken.

    Args:
        lists: whether lists are taken apart too: `tags.0`, `tags.1`. What comes after a list has its path in its name.
    """

    lists: bool = True


@strict
@dataclass(frozen=True, kw_only=True)
class AddFields:
    """Fields that a record gets.

    Args:
        fields: field, also `a.b` for a key inside an object -> a template, or a value for every record.
        condition: a field is added only if this holds. It sees `record`, and the field's `value`.
    """

    fields: Mapping[str, Template | str | int | float | bool]
    condition: Template | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class RemoveFields:
    """Fields that a record loses. In a list the last item goes, and null takes the place of any other one.

    Args:
        fields: dotted paths. `*`, `?` and `[ab]` in a part match texts as in names of files, and places in a list;
            `**` is any number of parts, also none.
        condition: what is left of the fields' values goes only if this holds: of each text, number, bool or null, which
            it sees as `property`.
    """

    fields: tuple[str, ...]
    condition: Template | None = None


@strict
@dataclass(frozen=True, kw_only=True)
class RenameKeys:
    """Other names for all fields of a record. It is an error if two fields would have one name.

    Args:
        old, new: a text that is replaced in names, also inside objects.
        case: `lower` writes the record's own names in small letters; `snake` writes all names, also inside objects, as
            `first_name`.
    """

    old: str = ""
    new: str = ""
    case: Literal["lower", "snake"] | None = None


RecordStep = AddFields | RemoveFields | Flatten | FlattenAll | RenameKeys


@strict
@dataclass(frozen=True, kw_only=True)
class RecordShape:
    """How a contract's records differ from the reference's. The table's fields are the reference's.

    They are applied in this order; a template sees what those before it have made.

    Args:
        renamed: field of the table -> dotted path to where this contract has it.
        constants: field of the table -> the value it has in every record of this list (`is_archived`).
        from_path: field of the table, also `a.b` for a key inside an object -> name of the path value or parameter of
            the request that it was read with.
        added: field of the table, also `a.b` for a key inside an object -> a template, or a value for every record.
        steps: changes one after the other, where their order is another one than here.
        flattened: objects whose fields become the record's own.
        removed: dotted paths of fields that are dropped; `*` is any key or place in a list, `**` any depth.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str | int | bool] = field(default_factory=dict)
    from_path: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, Template | str | int | float | bool] = field(default_factory=dict)
    steps: tuple[RecordStep, ...] = ()
    flattened: tuple[Flatten, ...] = ()
    removed: tuple[str, ...] = ()
