"""Portions: the fields of a list's records in several requests, for servers that take few names of fields at once."""

from dataclasses import dataclass

from platform_assets.declarations.strict import strict


@strict
@dataclass(frozen=True, kw_only=True)
class Portions:
    """Each page is asked for once more with each further value of a parameter, and the parts of a record are merged.

    A record that one request of a page has and another lacks: the page is asked for again, for it may have moved on
    between the two. If the server says the same again, the record has the fields that came.

    Args:
        param: the parameter that names fields; its value in `params` is the first portion.
        further: its values for the others.
        merged_by: the records' fields, as the declaration makes them, that tell whose the parts are. A record without
            them fails the read.
    """

    param: str
    further: tuple[str, ...]
    merged_by: tuple[str, ...]
