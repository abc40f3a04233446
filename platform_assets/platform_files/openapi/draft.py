"""A Platform from a specification: every list that can be read, and a note of what was assumed or left out."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlsplit

from platform_assets.declarations import (
    ApiKeyAuth,
    Auth,
    BearerAuth,
    Buckets,
    Client,
    DeclarationError,
    Endpoint,
    HttpBasicAuth,
    Incremental,
    OAuth2ClientCredentials,
    Paginator,
    Platform,
    PlatformAssetsError,
    Resolve,
    Resource,
    validate,
)
from platform_assets.declarations.resource import Param
from platform_assets.platform_files.openapi.cursors import filtering_of
from platform_assets.platform_files.openapi.paging import paging_of, paging_parameters
from platform_assets.platform_files.openapi.schemas import (
    Records,
    columns_of,
    key_of,
    plain_name,
    properties_of,
    records_in,
    required_in,
)
from platform_assets.platform_files.openapi.specification import Object, Operation, Parameter, Specification

T = TypeVar("T")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_VERSION = re.compile(r"v?\d+(?:[._]\d+)*|api|rest")
_MAX_RESOURCES = 500
_MAX_TEXT = 200


@dataclass(frozen=True)
class Draft:
    """A platform made from a specification.

    Attributes:
        assumed: what the specification leaves open, and what it was taken for.
        left_out: `GET <path>: <why>` of each list that is not in the platform.
    """

    platform: Platform
    assumed: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _List:
    """A list of the API, before it is a resource."""

    name: str
    operation: Operation
    selector: str
    columns: dict[str, str]
    key: str | None
    paginator: Paginator
    params: dict[str, Param]
    incremental: Incremental | None
    meanings: dict[str, str]


def draft_platform(
    specification: Specification, name: str, base_url: str | None = None, auth: Auth | None = None
) -> Draft:
    """The platform that a specification describes.

    Args:
        base_url, auth: in place of what the specification says.

    Raises PlatformAssetsError if it names no address, or no list that can be read.
    """
    assumed: list[str] = []
    left_out: list[str] = []
    url = base_url or specification.base_url
    if url is None:
        raise PlatformAssetsError(f"{specification.file}: names no whole address of a server: give it with --base-url")
    lists = _lists(specification, assumed, left_out)
    if not lists:
        reasons = "".join(f"; {reason}" for reason in left_out[:3])
        raise PlatformAssetsError(f"{specification.file}: has no list that can be read{reasons}")
    client = Client(
        auth=auth or _auth(specification, url, assumed),
        probe=_probe(lists),
        paginator=_most_common(one.paginator for one in lists),
        data_selector=_most_common(one.selector for one in lists),
    )
    by_path = {_without_slash(one.operation.path): one for one in lists}
    title = _line(specification.title) or name
    platform = Platform(
        name=name,
        title=title,
        description=f"{title}, as its specification describes it.",
        client=client,
        resources=tuple(_resource(one, client, by_path) for one in lists),
        column_descriptions={f"{one.name}.{column}": text for one in lists for column, text in one.meanings.items()},
        base_url=url,
    )
    usable = _without_what_cannot_run(platform, left_out)
    unused = {one.name for one in platform.resources} - {one.name for one in usable.resources}
    said = tuple(line for line in assumed if line.partition(":")[0] not in unused)
    return Draft(usable, said, tuple(left_out))


def _lists(specification: Specification, assumed: list[str], left_out: list[str]) -> list[_List]:
    """All lists with a key and a way of paging, each under a name of its own."""
    found: list[_List] = []
    taken: set[str] = set()
    for path, operation in specification.operations():
        one = operation if isinstance(operation, str) else _list(specification, operation, taken, assumed)
        if isinstance(one, str):
            left_out.append(f"GET {path}: {one}")
        elif len(found) == _MAX_RESOURCES:
            left_out.append(f"GET {path}: there are {_MAX_RESOURCES} lists already")
        else:
            found.append(one)
            taken.add(one.name)
    return found


def _list(specification: Specification, operation: Operation, taken: set[str], assumed: list[str]) -> _List | str:
    """A list of the API; else why it is left out, in words."""
    records = records_in(specification, operation.answer) if operation.answer is not None else "it answers no JSON"
    if not isinstance(records, Records):
        return records
    name = _name(operation.path, taken)
    columns = columns_of(specification, records.record)
    key = key_of(columns, required_in(specification, records.record), _singular(_last_word(operation.path)))
    paging = paging_of(specification, operation, key, columns)
    if paging.paginator is None:
        return paging.note or "it cannot be paged"
    filtering = filtering_of(operation, columns)
    sent = paging_parameters(paging.paginator)
    if filtering.incremental is not None and filtering.incremental.start_param:
        sent.add(filtering.incremental.start_param)
    fields = properties_of(specification, records.record)
    meanings = {name: text for name in columns if (text := _line(fields[name].get("description")))}
    params: dict[str, Param] = {}
    for parameter in operation.parameters:
        if parameter.required and parameter.place != "path" and parameter.name not in sent:
            value = _only_value(parameter)
            if value is None or parameter.place != "query":
                return f"it needs the {parameter.place} parameter `{parameter.name}`"
            params[parameter.name] = value
            assumed.append(f"{name}: `{parameter.name}` is always {value!r}")
    assumed += [f"{name}: {note}" for note in (records.assumed, paging.note, *filtering.notes) if note]
    if key is None:
        assumed.append(f"{name}: no field says which record is which")
    elif key != "id":
        assumed.append(f"{name}: the key is `{key}`")
    return _List(
        name, operation, records.selector, columns, key, paging.paginator, params, filtering.incremental, meanings
    )


def _resource(one: _List, client: Client, by_path: dict[str, _List]) -> Resource:
    endpoint = Endpoint(
        path=one.operation.path,
        params={**one.params, **_parents(one.operation.path, by_path)},
        paginator=None if one.paginator == client.paginator else one.paginator,
        data_selector=None if one.selector == client.data_selector else one.selector,
        incremental=one.incremental,
    )
    return Resource(
        name=one.name,
        description=_line(one.operation.summary) or f"GET {one.operation.path}",
        endpoint=endpoint,
        columns=one.columns,
        primary_key=None if one.key == "id" else one.key or (),
        partition=Buckets(count=16) if endpoint.parents else None,
    )


def _parents(path: str, by_path: dict[str, _List]) -> dict[str, Resolve]:
    """Placeholder -> the field of the list that its value comes from: the list of the path before it."""
    found: dict[str, Resolve] = {}
    for match in _PLACEHOLDER.finditer(path):
        parent = by_path.get(_without_slash(path[: match.start()]))
        if parent is not None:
            found[match[1]] = Resolve(resource=parent.name, field=_parent_field(match[1], parent))
    return found


def _parent_field(placeholder: str, parent: _List) -> str:
    """`order_id` of /orders is its `id`, `org_slug` of /orgs is its `slug`; else the parent's key."""
    columns = {plain_name(name): name for name in parent.columns}
    plain = plain_name(placeholder)
    candidates = (plain, plain.removeprefix(f"{_singular(_last_word(parent.operation.path))}_"), plain.split("_")[-1])
    return next((columns[name] for name in candidates if name in columns), parent.key or "id")


def _without_what_cannot_run(platform: Platform, left_out: list[str]) -> Platform:
    """The platform without resources that the declarations' own checks refuse, whose children go with them."""
    while True:
        try:
            validate([platform])
        except DeclarationError as error:
            refused = next((one for one in platform.resources if one.name == error.resource), None)
            if refused is None:
                raise
            problem = (
                str(error).partition(": ")[2] if refused.primary_key != () else "no field says which record is which"
            )
            left_out.append(f"GET {refused.endpoint.path}: {problem}")
            meanings = platform.column_descriptions.items()
            platform = replace(
                platform,
                resources=tuple(one for one in platform.resources if one is not refused),
                column_descriptions={key: text for key, text in meanings if not key.startswith(f"{refused.name}.")},
            )
            if not platform.resources:
                raise PlatformAssetsError(f"{platform.name}: has no list that can run; {left_out[-1]}") from None
        else:
            return platform


def _auth(specification: Specification, url: str, assumed: list[str]) -> Auth:
    """The first way to authenticate that can be declared; a bearer token if there is none."""
    for scheme in specification.security_schemes():
        found = _declared_auth(scheme, url)
        if found is not None:
            return found
    assumed.append("auth: the specification has none that can be declared: a bearer token")
    return BearerAuth()


def _declared_auth(scheme: Object, url: str) -> Auth | None:
    kind, name = scheme.get("type"), scheme.get("name")
    form = str(scheme.get("scheme", "")).lower()
    if kind == "basic" or (kind == "http" and form == "basic"):
        return HttpBasicAuth()
    if kind == "http" and form == "bearer":
        return BearerAuth()
    if kind == "apiKey" and isinstance(name, str) and name and scheme.get("in") in ("query", "header"):
        return ApiKeyAuth(name=name, location="query" if scheme["in"] == "query" else "header")
    if kind == "oauth2":
        flows = scheme.get("flows")
        flow = flows.get("clientCredentials") if isinstance(flows, dict) else scheme
        token_url = flow.get("tokenUrl") if isinstance(flow, dict) else None
        own = scheme.get("flow") == "application" or isinstance(flows, dict)
        path = _below(str(token_url), url) if own and token_url else None
        return OAuth2ClientCredentials(access_token_url=path) if path else BearerAuth()
    return None


def _below(address: str, url: str) -> str | None:
    """An address as a path below the base URL; None if it is elsewhere."""
    if address.startswith("/"):
        base = urlsplit(url).path
        return address.removeprefix(base) if address.startswith(f"{base}/") else None
    return address.removeprefix(url) if address.startswith(f"{url}/") else None


def _probe(lists: list[_List]) -> str:
    """One cheap request: the first list that needs no parent."""
    plain = next((one.operation.path for one in lists if "{" not in one.operation.path), None)
    return plain or _PLACEHOLDER.split(lists[0].operation.path)[0]


def _most_common(values: Iterable[T]) -> T:
    return Counter(values).most_common(1)[0][0]


def _only_value(parameter: Parameter) -> str | int | None:
    """The value to send of a required parameter: its default, or the only one that it takes."""
    choices = parameter.schema.get("enum")
    value = parameter.schema.get("default")
    if value is None and isinstance(choices, list) and len(choices) == 1:
        value = choices[0]
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str | int) else None


def _name(path: str, taken: set[str]) -> str:
    """A table's name: the path's last word, after its parent's: `/orders/{id}/lines` is `order_lines`."""
    words: list[str] = []
    parts = [part for part in path.split("/") if part]
    for index, part in enumerate(parts):
        plain = plain_name(part)
        if "{" in part or not plain or _VERSION.fullmatch(plain):
            continue
        followed = index + 1 < len(parts) and "{" in parts[index + 1]
        words.append(_singular(plain) if followed else plain)
    below = max((index for index, part in enumerate(parts) if "{" in part), default=None)
    short = words[-1] if words and below is None else "_".join(words[-2:])
    for name in (short, "_".join(words), *(f"{short}_{number}" for number in range(2, 1000))):
        fitting = re.sub(r"^[0-9_]+", "", name) or "records"
        if fitting not in taken:
            return fitting
    raise PlatformAssetsError(f"{path}: too many lists have this name")


def _last_word(path: str) -> str:
    words = [plain_name(part) for part in path.split("/") if part and "{" not in part]
    return words[-1] if words else "record"


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_slash(path: str) -> str:
    return path.rstrip("/")


def _line(text: object) -> str:
    """A text's first line, cut short; an empty one for what is no text."""
    first = next(iter(text.strip().splitlines()), "").strip() if isinstance(text, str) else ""
    return first if len(first) <= _MAX_TEXT else f"{first[:_MAX_TEXT]}…"
