"""Partition routers: whose rows a stream is read for, and which values are sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from platform_assets.declarations import Configured, FanOut, Resolve
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import NotCarried, PartitionValue, is_template, setting_in, word

# A value of a list that is written out, or of a setting, has no cursor and no removed rows of its own: all of them are
# one read. In a union it would stand beside parents, which have both.
_UNION = "partitions of several routers in one list are not in our vocabulary: each would need a row of one parent"


@dataclass
class Partitions:
    """What a stream's partition router says.

    Attributes:
        values: name in templates -> where the value comes from.
        extra: names that templates may use too: further fields of parents' rows, values of their own parents.
        options: (name, request option) of values that are sent by themselves.
        parents: components of the parents' streams, by their name as written.
        grouped: how many parents a request takes, if their values are lists in templates; else 0.
    """

    values: dict[str, PartitionValue] = field(default_factory=dict)
    extra: dict[str, PartitionValue] = field(default_factory=dict)
    options: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    parents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    grouped: int = 0


def convert_partitions(router: Any, settings: ConfigSettings, names: Mapping[str, str]) -> Partitions:
    """The values of a router, or of several. Raises NotCarried.

    Args:
        names: stream as written -> the resource's name; those of parents that are no streams themselves are added to
            the result's `parents`, and named by the caller.
    """
    found = Partitions()
    routers = list(_routers(router))
    for one in routers:
        kind = one.get("type")
        if kind == "GroupingPartitionRouter":
            if len(routers) > 1:
                raise NotCarried("a group of parents beside another router is not in our vocabulary")
            return _grouped(one, settings, names)
        if kind == "UnionPartitionRouter":
            raise NotCarried(_UNION)
        if kind == "ListPartitionRouter":
            _listed(one, settings, found)
        elif kind == "SubstreamPartitionRouter":
            for config in one.get("parent_stream_configs") or ():
                _parent(config, settings, names, found)
        else:
            label = one.get("class_name")
            why = f"`{label}` is Python, which is never run" if label else f"`{kind}` is not in our vocabulary"
            raise NotCarried(why)
    return found


def _grouped(one: Mapping[str, Any], settings: ConfigSettings, names: Mapping[str, str]) -> Partitions:
    """The values of the router that is grouped. Raises NotCarried for those that the CDK refuses, too."""
    found, size = convert_partitions(one.get("underlying_partition_router"), settings, names), one.get("group_size")
    if type(size) is not int or size < 1:
        raise NotCarried("the size of its groups is no number")
    if len(found.values) != 1 or found.options:
        raise NotCarried("a group has one value of each parent, which templates send")
    return replace(found, grouped=size)


def _routers(router: Any) -> Iterator[Mapping[str, Any]]:
    if router is None:
        return
    for one in router if isinstance(router, list) else [router]:
        if not isinstance(one, Mapping):
            raise NotCarried("a partition router is no object")
        yield one


def _listed(one: Mapping[str, Any], settings: ConfigSettings, found: Partitions) -> None:
    name, given = one.get("cursor_field"), one.get("values")
    if not isinstance(name, str) or is_template(name):
        raise NotCarried("the name of a list's values is computed")
    if isinstance(given, list) and given and all(isinstance(value, str | int) for value in given):
        if any(is_template(value) for value in given):
            raise NotCarried("a value of the list is computed")
        found.values[word(name)] = FanOut(tuple(given))
    elif (setting := setting_in(given, settings)) is not None:
        found.values[word(name)] = Configured(setting)
    else:
        raise NotCarried("the list of values is neither written out nor one setting")
    if isinstance(one.get("request_option"), Mapping):
        found.options.append((word(name), one["request_option"]))


def _parent(config: Any, settings: ConfigSettings, names: Mapping[str, str], found: Partitions) -> None:
    config = config if isinstance(config, Mapping) else {}
    stream, key, name = config.get("stream"), config.get("parent_key"), config.get("partition_field")
    if not isinstance(stream, Mapping) or not isinstance(key, str) or not isinstance(name, str) or is_template(key):
        raise NotCarried("a parent without a stream, or whose key is computed")
    if not all(re.search(r"\w", part) for part in re.split(r"[./]", key)):
        raise NotCarried(f"`parent_key` {key!r} is no path of fields")
    written = str(stream.get("name") or "")
    if not written:
        raise NotCarried("a parent stream has no name")
    found.parents[written] = stream
    resource = names.get(written, written)
    found.values[word(name)] = Resolve(resource=resource, field=key.replace("/", "."))
    if isinstance(config.get("request_option"), Mapping):
        found.options.append((word(name), config["request_option"]))
    for path in config.get("extra_fields") or ():
        keys = [str(part) for part in path] if isinstance(path, list) else [str(path)]
        if "*" not in keys and not any(is_template(part) for part in keys):
            found.extra[word(keys[-1])] = Resolve(resource=resource, field=".".join(keys))
    above = stream.get("retriever")
    inherited = convert_partitions(
        above.get("partition_router") if isinstance(above, Mapping) else None, settings, names
    )
    # A value of the parent's own parent: `stream_partition.parent_slice.org_id`.
    for inner, value in {**inherited.extra, **inherited.values}.items():
        if isinstance(value, Resolve) and inner not in found.values:
            found.extra.setdefault(inner, value)
