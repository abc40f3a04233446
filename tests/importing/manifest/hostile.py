"""Manifests that somebody wrote to do harm, by what they do: the text, and words of the error; none if it is read.

Each ends in bounded time and memory (test_hostile.py).
"""

import json
from itertools import pairwise
from typing import Any

_LETTERS = "abcdefghijkl"
_STREAM = {"type": "DeclarativeStream", "name": "orders", "retriever": {"requester": {"path": "/orders"}}}
_STREAMS = f"\nstreams: [{json.dumps(_STREAM)}]\n"

Case = tuple[str, str]


def _with(**keys: Any) -> str:
    """A manifest of data. JSON is YAML."""
    return json.dumps({"type": "DeclarativeSource", **keys})


def _lines(head: str, line: str) -> str:
    """A line for each letter, with the one before it."""
    return "\n".join([head, *(line.format(name=one, before=before) for before, one in pairwise(_LETTERS))])


def _yaml() -> dict[str, Case]:
    ten, many = ", ".join(["*{before}"] * 10), ", ".join(["*{before}"] * 99)
    deep = "".join(f"{' ' * depth}a:\n" for depth in range(2_000))
    return {
        "aliases": (_lines("a: &a [1, 2, 3]", f"{{name}}: &{{name}} [{ten}]") + _STREAMS, "more than"),
        "an alias in itself": ("x: &a [*a]" + _STREAMS, "inside of what it stands for"),
        "merge keys": (_lines("a: &a {x: 1}", f"{{name}}: &{{name}} {{{{<<: [{many}]}}}}") + _STREAMS, "more than"),
        "nested lists": (f"x: {'[' * 100_000}{']' * 100_000}{_STREAMS}", "nested more than"),
        "nested objects without brackets": (deep + _STREAMS, "nested more than"),
        "values": (f"x: [{'1,' * 1_500_000}]{_STREAMS}", "more than"),
        "Python in a tag": ("x: !!python/object/apply:os.system ['true']" + _STREAMS, "tag"),
        "a long number": (f"x: {'9' * 100_000}{_STREAMS}", ""),
    }


def _references() -> dict[str, Case]:
    lists: dict[str, Any] = {one: [f"#/definitions/{other}"] * 10 for one, other in pairwise(_LETTERS)}
    objects: dict[str, Any] = {
        one: {f"k{number}": f"#/definitions/{other}" for number in range(10)} for one, other in pairwise(_LETTERS)
    }
    chain: dict[str, Any] = {f"a{n}": {"$ref": f"#/definitions/a{n + 1}"} for n in range(20_000)}
    circle = {one: {"$ref": f"#/definitions/{other}"} for one, other in pairwise("abca")}
    found = {
        "references that multiply": (_with(definitions=lists | {"l": [1]}, streams=["#/definitions/a"]), "more than"),
        "references that multiply in a stream": (
            _with(definitions=objects | {"l": {}}, streams=[{"name": "a", "retriever": "#/definitions/a"}]),
            "more than",
        ),
        "a reference to itself": (_with(definitions={"a": "#/definitions/a"}, streams=["#/definitions/a"]), "itself"),
        "a reference to what is around it": (_with(streams=[{"name": "a", "retriever": "#/streams"}]), "itself"),
        "a reference to everything": (_with(streams=[{"name": "a", "retriever": "#/"}]), "itself"),
        "a circle of references": (
            _with(definitions=circle, streams=["#/definitions/a"]),
            "definitions/a -> definitions/b -> definitions/c -> definitions/a",
        ),
        "a chain of references": (_with(definitions=chain, streams=["#/definitions/a0"]), "deep"),
    }
    outside = (
        "/etc/passwd",
        "../../../etc/passwd",
        "file:///etc/passwd",
        "https://evil.dev/x",
        "~/.ssh/id_rsa",
        "a\0b",
    )
    for place in outside:
        stream = {"name": "a", "retriever": {"$ref": place}}
        found[f"a reference to {place}"] = _with(streams=[stream]), "folder"
    return found


def _parents() -> dict[str, Case]:
    def stream(name: str, parents: list[dict[str, Any]]) -> dict[str, Any]:
        router = {"type": "SubstreamPartitionRouter", "parent_stream_configs": parents}
        return {"name": name, "retriever": {"partition_router": router}}

    def ten(other: str, parameters: str) -> list[dict[str, Any]]:
        return [
            {"$parameters": {parameters + str(number): 1} if parameters else {}, "stream": f"#/definitions/{other}"}
            for number in range(10)
        ]

    alike: dict[str, Any] = {one: stream(one, ten(other, "")) for one, other in pairwise(_LETTERS)}
    unlike: dict[str, Any] = {one: stream(one, ten(other, one)) for one, other in pairwise(_LETTERS)}
    last = {"l": stream("l", [])}
    own = stream("a", [{"stream": "#/definitions/a"}])
    return {
        "streams that are their own parents": (_with(definitions={"a": own}, streams=["#/definitions/a"]), "itself"),
        "parents that multiply": (_with(definitions=alike | last, streams=["#/definitions/a"]), "more than"),
        "parents with other parameters each": (
            _with(definitions=unlike | last, streams=["#/definitions/a"]),
            "more than",
        ),
    }


def _templates() -> dict[str, Case]:
    def using(path: str, **parameters: Any) -> str:
        return _with(streams=[{"name": "a", "$parameters": parameters, "retriever": {"requester": {"path": path}}}])

    def with_params(**params: Any) -> dict[str, Any]:
        return {"requester": {"request_parameters": params}}

    loops = "".join(f"{{% for {one} in parameters.x %}}" for one in "abcd") + "x" + "{% endfor %}" * 4
    templates = {
        "a product of texts": "{{ parameters.x * 1000000000 }}",
        "a power": "{{ parameters.n ** parameters.n ** parameters.n ** parameters.n }}",
        "a range": "{{ range(parameters.n ** 9) | list }}",
        "loops in loops": loops,
        "a way to Python": "{{ parameters.x.__class__.__mro__[1].__subclasses__() }}",
        "a wide format": "{{ '%1000000000d' % parameters.n }}",
        "brackets": "{{ " + "(" * 20_000 + "parameters.x" + ")" * 20_000 + " }}",
        "signs": "{{ " + "-" * 50_000 + "parameters.n }}",
        "quotes": "{{ parameters.x " + "'" * 50_000 + " }}",
        "beginnings": "{{" * 40_000 + " parameters.x",
    }
    found = {name: (using(text, x="x" * 3_000, n=99), "") for name, text in templates.items()}
    doubling = {f"p{n}": f"{{{{ parameters.p{n + 1} }}}}" * 200 for n in range(10)}
    large = {f"k{n}": "a{{ parameters.x }}" for n in range(3_000)}
    many = {f"k{n}": f"{{{{ parameters.x + {n} }}}}" for n in range(20_000)}
    calls = "{{ " + "parameters.get('a', " * 4_000 + "1" + ")" * 4_000 + " }}"
    return found | {
        "calls in calls": (using(calls, x="x" * 3_000), "without end"),
        "a text that contains itself": (using("{{ parameters.y }}", y="{{ parameters.y }}" * 50), "without end"),
        "parameters that double": (using("{{ parameters.p0 }}" * 200, **doubling), "without end"),
        "a large parameter in many texts": (
            _with(streams=[{"name": "a", "$parameters": {"x": "x" * 100_000}, "retriever": with_params(**large)}]),
            "without end",
        ),
        "expressions to compute": (
            _with(streams=[{"name": "a", "$parameters": {"x": 1}, "retriever": with_params(**many)}]),
            "",
        ),
    }


def _dynamic() -> dict[str, Case]:
    def dynamic(**resolver: Any) -> str:
        template = {"name": "a", "retriever": {"x": {"y": 1}}}
        return _with(dynamic_streams=[{"stream_template": template, "components_resolver": resolver}])

    lists = [{"configs_pointer": ["a"], "default_values": [{"a": 1}] * 1000}] * 8
    twice = "{{ {'a': stream_template_config, 'b': stream_template_config} }}"
    growing = [{"field_path": ["*", "*"], "value": twice}, {"field_path": ["**"], "value": twice}] * 500
    one = {"list_of_parameters_for_stream": [{"a": 1}]}
    many = {"list_of_parameters_for_stream": [{"a": 1}] * 50_000}
    kind = "ParametrizedComponentsResolver"
    return {
        "lists with lists": (
            dynamic(type="ConfigComponentsResolver", components_mapping=[], stream_config=lists),
            "more than",
        ),
        "many streams": (dynamic(type=kind, components_mapping=[], stream_parameters=many), "more than"),
        "a mapping that grows": (dynamic(type=kind, components_mapping=growing, stream_parameters=one), "no stream"),
    }


def _settings() -> dict[str, Case]:
    option = {"properties": {"a": {}, "b": {}}}
    wide = {f"p{n}": {"oneOf": [option] * 50} for n in range(500)}
    return {
        "settings in many choices": (
            _with(spec={"connection_specification": {"properties": wide}}, streams=[_STREAM]),
            "",
        ),
        "settings that multiply": (
            _with(
                definitions={
                    one: {"properties": {"a": f"#/definitions/{other}", "b": f"#/definitions/{other}"}}
                    for one, other in pairwise(_LETTERS)
                }
                | {"l": {}},
                spec={"connection_specification": "#/definitions/a"},
                streams=[_STREAM],
            ),
            "",
        ),
    }


HOSTILE: dict[str, Case] = {
    **_yaml(),
    **_references(),
    **_parents(),
    **_templates(),
    **_dynamic(),
    **_settings(),
}
