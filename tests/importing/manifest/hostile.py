"""Manifests that somebody wrote to do harm, by what they do. Each ends in bounded time and memory."""

from collections.abc import Iterator

STREAM = """
  - type: DeclarativeStream
    name: orders
    retriever: {requester: {url_base: 'https://api.shop.dev', path: /orders}, record_selector: {extractor: {field_path: []}}}
"""
HEAD = "type: DeclarativeSource\n"


def _links(letters: str, last: str, line: str) -> str:
    """A line per letter, each of which names the next ten times."""
    lines = [line.format(name=one, next=other) for one, other in zip(letters, letters[1:], strict=False)]
    return "\n".join([*lines, f"  {letters[-1]}: {last}"])


def _manifests() -> Iterator[tuple[str, str, str]]:
    """What it does, the text, and words of the error; no words if it is read."""
    letters = "abcdefghijkl"
    ten = ", ".join(["{next}"] * 10)
    yield (
        "aliases",
        HEAD
        + "x:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "\n".join(
            f"  {one}: &{one} [{', '.join([f'*{before}'] * 10)}]"
            for before, one in zip(letters, letters[1:], strict=False)
        )
        + f"\nstreams:{STREAM}",
        "more than",
    )
    yield "an alias in itself", HEAD + "x: &a [*a]\nstreams:" + STREAM, "inside of what it stands for"
    yield (
        "merge keys",
        HEAD
        + "x:\n  a: &a {a: 1, b: 2, c: 3}\n"
        + "\n".join(
            f"  {one}: &{one} {{<<: [{', '.join([f'*{before}'] * 99)}]}}"
            for before, one in zip(letters, letters[1:], strict=False)
        )
        + f"\nstreams:{STREAM}",
        "more than",
    )
    yield "nested lists", HEAD + f"x: {'[' * 100_000}{']' * 100_000}\nstreams:{STREAM}", "nested more than"
    yield (
        "nested objects without brackets",
        HEAD + "".join(f"{' ' * depth}a:\n" for depth in range(2_000)) + f"streams:{STREAM}",
        "nested more than",
    )
    yield "values", HEAD + f"x: [{'1,' * 1_500_000}]\nstreams:{STREAM}", "more than"
    yield (
        "references that multiply",
        HEAD
        + "definitions:\n"
        + _links(letters, "[1]", "  {name}: [" + ten.replace("{next}", "'#/definitions/{next}'") + "]")
        + "\nstreams: ['#/definitions/a']",
        "more than",
    )
    yield (
        "references that multiply in a stream",
        HEAD
        + "definitions:\n"
        + _links(
            letters, "{b: 1}", "  {name}: {{" + ", ".join(f"k{n}: '#/definitions/{{next}}'" for n in range(10)) + "}}"
        )
        + "\nstreams:\n  - name: a\n    retriever: '#/definitions/a'",
        "more than",
    )
    yield "a reference to itself", HEAD + "definitions: {a: '#/definitions/a'}\nstreams: ['#/definitions/a']", "itself"
    yield "a reference to what is around it", HEAD + "streams: [{name: a, retriever: '#/streams'}]", "itself"
    yield "a reference to everything", HEAD + "streams: [{name: a, retriever: '#/'}]", "itself"
    yield (
        "a circle of references",
        HEAD
        + (
            "definitions: {a: {$ref: '#/definitions/b'}, b: {$ref: '#/definitions/c'}, c: {$ref: '#/definitions/a'}}\n"
            "streams: ['#/definitions/a']"
        ),
        "definitions/a -> definitions/b -> definitions/c -> definitions/a",
    )
    yield (
        "a chain of references",
        HEAD
        + "definitions:\n"
        + "\n".join(f"  a{n}: {{$ref: '#/definitions/a{n + 1}'}}" for n in range(20_000))
        + "\nstreams: ['#/definitions/a0']",
        "deep",
    )
    yield (
        "streams that are their own parents",
        HEAD
        + """definitions:
  a: {name: a, retriever: {partition_router: {type: SubstreamPartitionRouter, parent_stream_configs: [{stream: '#/definitions/a'}]}}}
streams: ['#/definitions/a']""",
        "itself",
    )
    yield (
        "parents that multiply",
        HEAD
        + "definitions:\n"
        + "\n".join(
            f"  a{n}: {{name: a{n}, retriever: {{partition_router: {{type: SubstreamPartitionRouter, parent_stream_configs: ["
            + ", ".join([f"{{stream: '#/definitions/a{n + 1}'}}"] * 10)
            + "]}}}"
            for n in range(12)
        )
        + "\n  a12: {name: a12, retriever: {}}\nstreams: ['#/definitions/a0']",
        "more than",
    )
    yield (
        "parents that each give other parameters",
        HEAD
        + "definitions:\n"
        + "\n".join(
            f"  a{n}: {{name: a{n}, retriever: {{partition_router: {{type: SubstreamPartitionRouter, parent_stream_configs: ["
            + ", ".join(f"{{$parameters: {{k{n}_{m}: 1}}, stream: '#/definitions/a{n + 1}'}}" for m in range(10))
            + "]}}}"
            for n in range(12)
        )
        + "\n  a12: {name: a12, retriever: {}}\nstreams: ['#/definitions/a0']",
        "more than",
    )
    for name, template in {
        "a product of texts": "{{ parameters.x * 1000000000 }}",
        "a power": "{{ parameters.n ** parameters.n ** parameters.n ** parameters.n }}",
        "a range": "{{ range(parameters.n ** 9) | list }}",
        "a loop": "{% for a in parameters.x %}{% for b in parameters.x %}{% for c in parameters.x %}{% for d in parameters.x"
        " %}{{ a }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
        "a way to Python": "{{ parameters.x.__class__.__mro__[1].__subclasses__() }}",
        "a format": "{{ '%1000000000d' % parameters.n }}",
        "brackets": "{{ " + "(" * 20_000 + "parameters.x" + ")" * 20_000 + " }}",
        "signs": "{{ " + "-" * 50_000 + "parameters.n }}",
        "quotes": "{{ parameters.x " + "'" * 50_000 + " }}",
        "beginnings": "{{" * 40_000 + " parameters.x",
        "a text that contains itself": "{{ parameters.y }}",
    }.items():
        yield (
            name,
            HEAD
            + "streams:\n  - name: a\n    $parameters:\n      x: "
            + "x" * 3_000
            + (
                f"\n      n: 99\n      y: '{'{{ parameters.y }}' * 50}'\n    retriever: {{requester: {{path: \"{template}\"}}}}"
            ),
            "",
        )
    yield (
        "parameters that double",
        HEAD
        + "streams:\n  - name: a\n    $parameters:\n"
        + "\n".join(f"      p{n}: '{f'{{{{ parameters.p{n + 1} }}}}' * 200}'" for n in range(10))
        + "\n    retriever: {requester: {path: '"
        + "{{ parameters.p0 }}" * 200
        + "'}}",
        "without end",
    )
    yield (
        "a large parameter in many texts",
        HEAD
        + "streams:\n  - name: a\n    $parameters: {x: "
        + "x" * 100_000
        + (
            "}\n    retriever:\n      requester:\n        request_parameters:\n"
            + "\n".join(f"          k{n}: 'a{{{{ parameters.x }}}}'" for n in range(3_000))
        ),
        "without end",
    )
    yield (
        "expressions that need computing",
        HEAD
        + "streams:\n  - name: a\n    $parameters: {x: 1}\n    retriever:\n"
        + (
            "      requester:\n        request_parameters:\n"
            + "\n".join(f"          k{n}: '{{{{ parameters.x + {n} }}}}'" for n in range(40_000))
        ),
        "",
    )
    yield (
        "dynamic streams of lists with lists",
        HEAD
        + "dynamic_streams:\n  - stream_template: {retriever: {}}\n"
        + (
            "    components_resolver:\n      type: ConfigComponentsResolver\n      components_mapping: []\n      stream_config:\n"
            + f"      - {{configs_pointer: [a], default_values: [{'{a: 1},' * 1000}]}}\n" * 8
        ),
        "more than",
    )
    yield (
        "a mapping that grows",
        HEAD
        + "dynamic_streams:\n  - stream_template: {name: a, retriever: {x: 1}}\n"
        + (
            "    components_resolver:\n      type: ParametrizedComponentsResolver\n"
            "      stream_parameters: {list_of_parameters_for_stream: [{a: 1}]}\n      components_mapping:\n"
            + "      - {field_path: ['retriever', '**', '*'], value: '{{ stream_template_config }}'}\n" * 500
            + "      - {field_path: ['*', '*'], value: \"{{ {'a': stream_template_config, 'b': stream_template_config} }}\"}\n"
            * 500
        ),
        "",
    )
    yield (
        "settings that are nested without end",
        HEAD
        + (
            "definitions: {s: {type: object, properties: {"
            + ", ".join(
                f"p{n}: {{oneOf: [" + ", ".join(["{properties: {a: {}, b: {}}}"] * 50) + "]}" for n in range(500)
            )
            + "}}}\nspec: {connection_specification: {$ref: '#/definitions/s'}}\nstreams:"
            + STREAM
        ),
        "",
    )
    yield "Python in a tag", HEAD + "x: !!python/object/apply:os.system ['touch /tmp/pwned']\nstreams:" + STREAM, "tag"
    for path in (
        "/etc/passwd",
        "../../../etc/passwd",
        "file:///etc/passwd",
        "https://evil.dev/x.json",
        "~/.ssh/id_rsa",
    ):
        yield f"a reference to {path}", HEAD + f"streams: [{{name: a, retriever: {{$ref: '{path}'}}}}]", "folder"


HOSTILE: dict[str, tuple[str, str]] = {what: (text, words) for what, text, words in _manifests()}
