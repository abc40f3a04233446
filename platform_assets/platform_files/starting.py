"""A first platform file from a few answers: where the API is, how it authenticates, which lists it has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_assets.declarations import (
    Auth,
    Buckets,
    Client,
    Endpoint,
    Paginator,
    Platform,
    Resolve,
    Resource,
    SettingsError,
    validate,
)
from platform_assets.declarations.nearest import did_you_mean
from platform_assets.platform_files.shape import class_named, classes_in, hints_of, is_required, keys_of, type_names

_RESOURCE = re.compile(r"([a-z][a-z0-9_]*):(/\S*)")


@dataclass(frozen=True)
class Answers:
    """What a platform file is started with.

    Attributes:
        resources: `<name>:/<path>` of each list.
        parents: list -> placeholder of its path -> where the value comes from.
        selector: dotted path to the records in a body; `""` is the body.
        key, key_type: the field that says which record is which, and its dlt data type.
    """

    name: str
    base_url: str
    auth: Auth
    resources: Sequence[str]
    paginator: Paginator
    selector: str = ""
    key: str = "id"
    key_type: str = "bigint"
    parents: Mapping[str, Mapping[str, Resolve]] = field(default_factory=dict)


def listed(resources: Sequence[str]) -> list[tuple[str, str]]:
    """Name and path of each list. Raises SettingsError for a text that is none, or if there is none."""
    lists: list[tuple[str, str]] = []
    for text in resources:
        found = _RESOURCE.fullmatch(text)
        if found is None:
            raise SettingsError(f"{text!r} is no list: write its name and path, e.g. `orders:/v1/orders`")
        lists.append((found[1], found[2]))
    if not lists:
        raise SettingsError("a platform needs a list: give one with `--resource orders:/v1/orders`")
    return lists


def start_platform(answers: Answers) -> Platform:
    """The platform that the answers describe. Raises SettingsError or DeclarationError for an answer that cannot be."""
    lists = listed(answers.resources)
    title = answers.name.replace("_", " ").capitalize()
    platform = Platform(
        name=answers.name,
        title=title,
        description=f"{title}.",
        client=Client(
            auth=answers.auth,
            probe=next((path for _, path in lists if "{" not in path), "/"),
            paginator=answers.paginator,
            data_selector=answers.selector,
        ),
        resources=tuple(_resource(answers, name, path) for name, path in lists),
        primary_key=answers.key,
        base_url=answers.base_url.rstrip("/"),
    )
    validate([platform])
    return platform


def _resource(answers: Answers, name: str, path: str) -> Resource:
    parents = answers.parents.get(name, {})
    used = [one.field for own in answers.parents.values() for one in own.values() if one.resource == name]
    columns = {answers.key: answers.key_type, **{field: "text" for field in used if field != answers.key}}
    return Resource(
        name=name,
        description=f"GET {path}",
        endpoint=Endpoint(path=path, params=dict(parents)),
        columns=columns,
        partition=Buckets(count=16) if parents else None,
    )


def class_words(key: str) -> list[str]:
    """The words for the classes that a key of `Client` may have (`auth`, `paginator`): dlt's if it has some."""
    return [type_names(cls)[-1] for cls in classes_in(hints_of(Client)[key])]


def made_of(key: str, word: str, values: Mapping[str, Any]) -> Any:
    """The declaration that a word means, of those values that it has keys for.

    Args:
        key: of `Client`: `auth` or `paginator`.

    Raises SettingsError if there is no such word, or a value is missing.
    """
    classes = classes_in(hints_of(Client)[key])
    cls = class_named(word, classes)
    if cls is None:
        words = class_words(key)
        known = did_you_mean(word, words) or f"; there are {', '.join(words)}"
        raise SettingsError(f"there is no {key} {word!r}{known}")
    given = {field.name: values[field.name] for field in keys_of(cls) if values.get(field.name) is not None}
    missing = [field.name for field in keys_of(cls) if is_required(field) and field.name not in given]
    if missing:
        raise SettingsError(f"{key} {word!r} needs {', '.join(f'`{name}`' for name in missing)}")
    return cls(**given)
