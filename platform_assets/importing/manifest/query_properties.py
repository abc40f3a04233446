"""`QueryProperties`: names of fields that a request asks for, all at once or some a request."""

from collections.abc import Mapping
from typing import Any

from platform_assets.importing.manifest.texts import NotCarried, is_template

# What the CDK counts for the delimiter between two names.
_DELIMITER = 3


def portions_of(component: Mapping[str, Any]) -> list[str]:
    """The parameter's value in each request of a page, as the CDK has them. Raises NotCarried."""
    names, always = component.get("property_list"), component.get("always_include_properties") or []
    if not isinstance(names, list):
        raise NotCarried("properties that are read from an endpoint are not in our vocabulary")
    if not isinstance(always, list) or not all(isinstance(one, str) and not is_template(one) for one in names + always):
        raise NotCarried("the name of a property is computed")
    chunking = component.get("property_chunking")
    if not isinstance(chunking, Mapping):
        return [",".join([*always, *names])]
    limit = chunking.get("property_limit")
    if not limit:
        return [",".join([*names, *always])]
    if type(limit) is not int or limit < 1:
        raise NotCarried("`property_limit` is no number")
    by_letters = chunking.get("property_limit_type") == "characters"
    return [",".join([*always, *chunk]) for chunk in _chunks(names, limit, by_letters=by_letters)]


def _chunks(names: list[str], limit: int, *, by_letters: bool) -> list[list[str]]:
    found: list[list[str]] = [[]]
    size = 0
    for name in names:
        own = len(name) + _DELIMITER if by_letters else 1
        if found[-1] and size + own > limit:
            found.append([])
            size = 0
        found[-1].append(name)
        size += own
    return found


def merge_key(component: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that tell whose the parts of a record are. Raises NotCarried."""
    strategy = component["property_chunking"].get("record_merge_strategy")
    if strategy is None:
        return ("id",)
    key = strategy.get("key") if isinstance(strategy, Mapping) else None
    keys = [key] if isinstance(key, str) else key
    if not isinstance(strategy, Mapping) or strategy.get("type") != "GroupByKeyMergeStrategy":
        raise NotCarried(
            f"`{strategy.get('class_name') if isinstance(strategy, Mapping) else strategy}` merges records"
        )
    if not isinstance(keys, list) or not keys or not all(isinstance(one, str) and not is_template(one) for one in keys):
        raise NotCarried("the key by which records are merged is computed")
    return tuple(keys)
