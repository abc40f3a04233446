"""Resources of a dlt configuration with their defaults merged as dlt merges them, their paths and their parameters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from platform_assets.declarations import Configured, Resolve
from platform_assets.declarations.resource import Param
from platform_assets.importing.dlt_client import is_credential, setting_name
from platform_assets.importing.findings import Findings
from platform_assets.importing.names import snake_case
from platform_assets.importing.values import (
    Called,
    Joined,
    Setting,
    Unreadable,
    unreadable_parts,
    without_unreadable,
)

_TEMPLATE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PARENT = re.compile(r"resources\.([^.{}]+)\.([^{}]+)")
_WORDS = re.compile(r"[^0-9A-Za-z]+")
FUNCTIONS = "functions are never run; do it in a dbt model"
# Words of low-code connectors for a value of the parent.
_SLICES = ("stream_partition", "stream_slice")


@dataclass
class Written:
    """One resource as it was written, with the defaults in it.

    Attributes:
        name: as tables are named.
        specified: the name as written, if it is another one.
        given: keys of the resource.
        own: keys that stand on the resource itself, not in `resource_defaults`; those of its endpoint as `endpoint.x`.
        path: begins with `/`; placeholders are names.
        params: query parameters as written, and path values as `Resolve`.
        undeclared: placeholders of the path that nothing fills.
    """

    name: str
    specified: str | None
    given: Mapping[str, Any]
    own: frozenset[str]
    path: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()

    @property
    def endpoint(self) -> Mapping[str, Any]:
        return self.given["endpoint"]


def read_resources(config: Mapping[str, Any], base_url: str | None, findings: Findings) -> list[Written]:
    """The resources of a configuration that can be read, in their order."""
    defaults = config.get("resource_defaults")
    found: list[Written] = []
    taken: set[str] = set()
    listed = config.get("resources")
    for number, one in enumerate(listed if isinstance(listed, list) else []):
        written = _merged(one, defaults if isinstance(defaults, Mapping) else {}, number, findings)
        if written is None:
            continue
        while written.name in taken:
            findings.mended(written.name, "name", "two resources have this name; the second one is called after it")
            written.name += "_2"
        taken.add(written.name)
        if _read_path(written, base_url, findings):
            found.append(written)
    return found


def _merged(one: Any, defaults: Mapping[str, Any], number: int, findings: Findings) -> Written | None:
    """A resource with its defaults, as dlt merges them: `params` and `json` by key, everything else as a whole."""
    if isinstance(one, str):
        one = {"name": one, "endpoint": {"path": one}}
    if not isinstance(one, Mapping):
        what = (
            f"`{one.name}(...)`"
            if isinstance(one, Called)
            else str(one)
            if isinstance(one, Unreadable)
            else "no resource"
        )
        findings.not_carried(None, f"resources[{number}]", f"{what}: only what is written out can be carried")
        return None
    endpoint = one.get("endpoint")
    endpoint = {"path": endpoint} if isinstance(endpoint, str | Joined | Unreadable | Setting) else dict(endpoint or {})
    specified = one.get("name")
    if not isinstance(specified, str) or not snake_case(specified):
        path = endpoint.get("path")
        words = [word for word in _WORDS.split(path) if word] if isinstance(path, str) else []
        specified = words[-1] if words else f"resource_{number + 1}"
        findings.mended(snake_case(specified), "name", "has none; it is called after its path")
    name = snake_case(specified)
    endpoint.setdefault("path", specified)
    base = defaults.get("endpoint")
    base = base if isinstance(base, Mapping) else {}
    for path, unreadable in unreadable_parts({**defaults, **one, "endpoint": {**base, **endpoint}}):
        if path == "endpoint.path" or path.startswith("endpoint.paginator"):
            findings.not_carried(name, "the whole resource", f"its {path.split('.')[1]} {unreadable}")
            return None
        if path.startswith("processing_steps"):
            findings.not_carried(name, path, FUNCTIONS)
        else:
            findings.not_carried(name, path, f"{unreadable} (`{unreadable.source}`)")
    own = frozenset({*one, *(f"endpoint.{key}" for key in endpoint)})
    one, endpoint, defaults = without_unreadable(one), without_unreadable(endpoint), without_unreadable(defaults)
    base = without_unreadable(base)
    merged = {**base, **endpoint}
    for key in ("params", "json"):
        parts = [part[key] for part in (base, endpoint) if isinstance(part.get(key), Mapping)]
        if parts:
            merged[key] = {name: value for part in parts for name, value in part.items()}
    columns = [part["columns"] for part in (defaults, one) if isinstance(part.get("columns"), Mapping)]
    given = {**defaults, **one, "endpoint": merged}
    if len(columns) == 2:
        given["columns"] = {**columns[0], **columns[1]}
    return Written(name, specified if specified != name else None, given, own)


def _read_path(written: Written, base_url: str | None, findings: Findings) -> bool:
    """Fill path, parameters and parents. False if the resource has to be left out, which is a finding."""
    path = written.endpoint.get("path")
    params = written.endpoint.get("params")
    values: dict[str, Any] = dict(params) if isinstance(params, Mapping) else {}
    if not isinstance(path, str):
        findings.not_carried(written.name, "the whole resource", "its path is taken from outside the file")
        return False
    if urlsplit(path).netloc:
        if base_url is None or not path.startswith(f"{base_url}/"):
            findings.not_carried(
                written.name, "the whole resource", f"its path is at another place: {urlsplit(path).netloc}"
            )
            return False
        path = path.removeprefix(base_url)
    path, _, query = path.partition("?")
    for name, value in parse_qsl(query, keep_blank_values=True):
        findings.mended(written.name, "endpoint.path", f"`{name}` in its query is sent as a parameter")
        values.setdefault(name, value)
    configured: dict[str, str] = {}
    path = _TEMPLATE.sub(lambda found: "{" + _of_template(found[1], written.name, configured, findings) + "}", path)
    undeclared: list[str] = []

    def placeholder(found: re.Match[str]) -> str:
        name = found[1]
        if parent := _PARENT.fullmatch(name):
            short = _WORDS.sub("_", f"{parent[1]}_{parent[2]}").strip("_")
            values[short] = _resolve(parent[1], parent[2])
            return "{" + short + "}"
        value = values.get(name)
        if isinstance(value, Resolve):
            return found[0]
        if isinstance(value, Mapping) and value.get("type") == "resolve":
            values[name] = _resolve(value.get("resource"), value.get("field"))
            return found[0]
        if name in configured:
            values[name] = Configured(configured[name])
            return found[0]
        if isinstance(value, Setting) and value.name:
            values[name] = Configured(setting_name(value.name))
            return found[0]
        if isinstance(value, str | int | float):
            values.pop(name)
            return str(value)
        undeclared.append(name)
        return found[0]

    path = _PLACEHOLDER.sub(placeholder, path)
    if any(name.startswith("incremental.") for name in undeclared):
        findings.not_carried(written.name, "the whole resource", "its path has a cursor in it")
        return False
    written.path = path if path.startswith("/") else f"/{path}"
    written.undeclared = tuple(undeclared)
    written.params = values
    return True


def _of_template(expression: str, resource: str, configured: dict[str, str], findings: Findings) -> str:
    """The placeholder that stands for a low-code connector's template, e.g. `stream_partition.thread_id`.

    Args:
        configured: placeholder -> setting; a template that names one is added.
    """
    holder, _, name = re.sub(r"\[['\"](\w+)['\"]\]", r".\1", expression).partition(".")
    if holder.strip() == "config" and re.fullmatch(r"\w+", name.strip()):
        configured[name.strip()] = setting_name(name)
        return name.strip()
    if holder.strip() in _SLICES and name:
        findings.mended(
            resource,
            "endpoint.path",
            f"`{{{{ {expression} }}}}` is a low-code connector's word for a parent's value: `{{{name}}}`",
        )
        return name.strip()
    return _WORDS.sub("_", expression).strip("_")


def read_params(written: Written, taken: tuple[str, ...], findings: Findings) -> dict[str, Param]:
    """Path values and query parameters as we have them.

    Args:
        taken: parameters that became part of something else.
    """
    found: dict[str, Param] = {}
    for name, value in written.params.items():
        if name in taken or value is None:
            continue
        if is_credential(name, value):
            findings.mended(
                written.name, f"params.{name}", "a credential is not written to a file; the client sends it"
            )
            continue
        if isinstance(value, bool):
            findings.mended(written.name, f"params.{name}", f"is sent as `{str(value).lower()}`; dlt sends `{value}`")
        sent = _param(value)
        if sent is None:
            findings.not_carried(written.name, f"params.{name}", _why_not(value))
        else:
            found[name] = sent
    return found


def read_form(written: Written, findings: Findings) -> dict[str, Param] | None:
    """dlt's `data`, a form; None without one."""
    given = written.endpoint.get("data")
    if not given:
        return None
    if not isinstance(given, Mapping):
        findings.not_carried(written.name, "endpoint.data", "a body that is neither JSON nor a form")
        return None
    return {
        name: sent for name, value in given.items() if (sent := _said_param(written, f"data.{name}", value, findings))
    }


def read_headers(written: Written, findings: Findings) -> dict[str, str | Resolve | Configured]:
    """dlt's `headers` of an endpoint."""
    given = written.endpoint.get("headers")
    found: dict[str, str | Resolve | Configured] = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if name.lower() in ("authorization", "cookie") or (isinstance(value, Setting) and value.secret):
            findings.not_carried(written.name, f"headers.{name}", "a credential: the client sends its own")
            continue
        sent = _said_param(written, f"headers.{name}", value, findings)
        if sent is not None:
            found[name] = sent if isinstance(sent, Resolve | Configured) else str(sent)
    return found


def read_json(written: Written, findings: Findings) -> dict[str, Any] | None:
    """dlt's `json`, with parents' values and settings in it; None without one."""
    given = written.endpoint.get("json")
    if not isinstance(given, Mapping) or not given:
        return None
    return {str(name): _json_value(written, f"json.{name}", value, findings) for name, value in given.items()}


def _json_value(written: Written, place: str, value: Any, findings: Findings) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json_value(written, f"{place}.{key}", part, findings) for key, part in value.items()}
    if isinstance(value, list):
        return tuple(_json_value(written, f"{place}[{index}]", part, findings) for index, part in enumerate(value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return _said_param(written, place, value, findings)


def _said_param(written: Written, place: str, value: Any, findings: Findings) -> Param | None:
    """As `_param`; what cannot be carried is a finding."""
    sent = None if isinstance(value, Setting) and value.secret else _param(value)
    if sent is None and value is not None:
        findings.not_carried(written.name, f"endpoint.{place}", _why_not(value))
    return sent


def _param(value: Any) -> Param | None:
    """A value as it is sent; None if it cannot be carried."""
    if isinstance(value, Resolve | Configured):
        return value
    if isinstance(value, Setting) and value.name and not value.secret:
        return Configured(setting_name(value.name))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return str(value)
    if isinstance(value, list) and value and all(isinstance(item, str | int) for item in value):
        return tuple(str(item) for item in value)
    if isinstance(value, Mapping) and value.get("type") == "resolve":
        return _resolve(value.get("resource"), value.get("field"))
    if not isinstance(value, str):
        return None
    expressions = _PLACEHOLDER.findall(value)
    if not expressions:
        return value
    parent = _PARENT.fullmatch(expressions[0])
    return _resolve(parent[1], parent[2]) if parent and value == "{" + expressions[0] + "}" else None


def _resolve(resource: Any, field_name: Any) -> Resolve:
    """A parent's value, the parent called as its table is."""
    return Resolve(resource=snake_case(str(resource)), field=str(field_name).removeprefix("$."))


def _why_not(value: Any) -> str:
    if isinstance(value, Setting | Joined):
        return "its value is taken from outside the file"
    return f"a text with a value inside it: `{value}`" if isinstance(value, str) else "its value is no text or number"
