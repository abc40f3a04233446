"""`QueryProperties`: names of fields that a request asks for, all at once or some a request."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from platform_assets.declarations import ListedPortions, Portions
from platform_assets.declarations.portions import portions_of
from platform_assets.importing.manifest.texts import NotCarried, is_template

Portion = Portions | ListedPortions | None


def portions_in(component: Mapping[str, Any], param: str, listed: str | None) -> tuple[str | None, Portion]:
    """The parameter's first value, and what else a page is asked for with. Raises NotCarried.

    Args:
        listed: the resource that has the names, if an endpoint does.
    """
    names, always = component.get("property_list"), component.get("always_include_properties") or []
    if not _are_names(always):
        raise NotCarried("the name of a property is computed")
    chunking = component.get("property_chunking")
    chunking = chunking if isinstance(chunking, Mapping) else {}
    limit = chunking.get("property_limit") or None
    if limit is not None and (type(limit) is not int or limit < 1):
        raise NotCarried("`property_limit` is no number")
    by_letters = chunking.get("property_limit_type") == "characters"
    most_names, most_letters = (None, limit) if by_letters else (limit, None)
    merged_by = _merge_key(chunking)
    if listed is not None:
        return None, ListedPortions(
            param=param,
            resource=listed,
            field=_name_field(names),
            always=tuple(always),
            most_names=most_names,
            most_letters=most_letters,
            merged_by=merged_by,
        )
    if not _are_names(names):
        raise NotCarried("the name of a property is computed")
    if chunking and limit is None:
        # Without a bound, the CDK puts them behind the others.
        return ",".join([*names, *always]), None
    first, *others = portions_of(names, always, most_names, most_letters)
    return first, Portions(param=param, further=tuple(others), merged_by=merged_by) if others else None


def property_lists(component: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Parameter of a stream's request -> the stream of the endpoint that names its properties."""
    retriever = component.get("retriever")
    requester = retriever.get("requester") if isinstance(retriever, Mapping) else None
    given = requester.get("request_parameters") if isinstance(requester, Mapping) else None
    found: dict[str, Mapping[str, Any]] = {}
    for param, value in given.items() if isinstance(given, Mapping) else ():
        listed = value.get("property_list") if isinstance(value, Mapping) else None
        if isinstance(listed, Mapping):
            field = _name_field(listed)
            found[str(param)] = {
                "type": "DeclarativeStream",
                "name": f"{component.get('name')} {param}",
                "primary_key": field,
                "retriever": listed.get("retriever"),
                "schema_loader": {"type": "InlineSchemaLoader", "schema": {"properties": {field: {"type": "string"}}}},
            }
    return found


def _name_field(listed: Any) -> str:
    """The field that has a property's name. Raises NotCarried."""
    path = listed.get("property_field_path") if isinstance(listed, Mapping) else None
    if not isinstance(path, list) or len(path) != 1 or not _are_names(path):
        raise NotCarried("`property_field_path` is no field")
    return str(path[0])


def _are_names(given: Any) -> TypeGuard[list[str]]:
    return isinstance(given, list) and all(isinstance(one, str) and not is_template(one) for one in given)


def _merge_key(chunking: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that tell whose the parts of a record are. Raises NotCarried."""
    strategy = chunking.get("record_merge_strategy")
    if strategy is None:
        return ("id",)
    key = strategy.get("key") if isinstance(strategy, Mapping) else None
    keys = [key] if isinstance(key, str) else key
    if not isinstance(strategy, Mapping) or strategy.get("type") != "GroupByKeyMergeStrategy":
        raise NotCarried(
            f"`{strategy.get('class_name') if isinstance(strategy, Mapping) else strategy}` merges records"
        )
    if not keys or not _are_names(keys):
        raise NotCarried("the key by which records are merged is computed")
    return tuple(keys or ())
