"""Templates have their value's own type, see nothing secret, and end in bounded time whatever they say."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jinja2 import nodes

from platform_assets.declarations import Template
from platform_assets.declarations.patterns import longest_text, pattern_problem
from platform_assets.declarations.template_names import parsed
from platform_assets.declarations.template_problems import CLOCKS, CONTEXT, FUNCTIONS
from platform_assets.http.errors import AnswerError
from platform_assets.http.template_sandbox import _guard
from platform_assets.http.templates import Rendered, settings_values

NAMES = CONTEXT | FUNCTIONS | CLOCKS
RECORD: dict[str, Any] = {
    "total": 5,
    "name": "a<b",
    "tags": [2, 1],
    "owner": {"id": None},
    "at": "2026-01-02T03:04:05Z",
    "items": [{"id": 1}],
    "_private": 7,
    "title": "T",
}
VALUES = {
    "record": RECORD,
    "config": settings_values({"region": ("eu",), "teams": ("a", "b"), "off": ("false",)}),
    "parent": {"id": 3},
}


def value(text: str) -> Any:
    return Rendered(Template(text), NAMES, "`added` field `x`").value(VALUES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ record.total * 100 }}", 500),
        ("{{ record.total / 2 }}", 2.5),
        ("{{ record['name'] }}", "a<b"),
        (" {{ '007' }} ", "007"),
        ("{{ record.total == 5 }}", True),
        ("{{ record.tags }}", [2, 1]),
        ("{{ record.tags | sort }}", [1, 2]),
        ("{{ {'a': record.total, 'b': (1, 2)} }}", {"a": 5, "b": [1, 2]}),
        ("{{ record.items[0].id }}", 1),
        ("{{ record['_private'] }}", 7),
        ("{{ record.title }}", "T"),
        ("{{ record.items }}", [{"id": 1}]),
        ("{{ record.items() | length }}", 8),
        ("{{ record.get('name', 'x') | title }}", "A<B"),
        ("{{ (str_to_datetime(record.at) - str_to_datetime('2026-01-01')).days }}", 1),
        ("{{ record.total }}/{{ record.name }}", "5/a<b"),
        ("{% if record.total > 3 %}big{% else %}small{% endif %}", "big"),
        ("{% set n = record.total %}{{ n ~ '!' }}", "5!"),
        ("{% for tag in record.tags %}{{ tag }}{{ ',' if not loop.last }}{% endfor %}", "2,1"),
        ("{{ record.tags | join('-') }}", "2-1"),
        ("{{ record.at[:10] }}", "2026-01-02"),
        ("{{ timestamp(record.at) }}", 1767323045),
        ("{{ format_datetime(record.at, '%Y/%m/%d') }}", "2026/01/02"),
        ("{{ format_datetime(1767323045, '%ms') }}", "1767323045000"),
        ("{{ str_to_datetime(record.at) }}", "2026-01-02T03:04:05Z"),
        ("{{ record.name | base64encode | base64decode | upper }}", "A<B"),
        ("{{ 'abc' | hash }}", "900150983cd24fb0d6963f7d28e17f72"),
        ("{{ record.tags | map('string') | list }}", ["2", "1"]),
        ("{{ config.region }}{{ config['teams'][1] }}", "eub"),
        ("{{ parent.id }}", 3),
        ("{{ config.get('region') }}", "eu"),
        ("{{ config.get('none', 'x') }}", "x"),
        ("{{ 'region' in config and 'none' not in config }}", True),
        ("{{ config.none | default('x') }}", "x"),
        ("{{ config.none is defined }}", False),
        ("{{ config.teams | join(',') }}", "a,b"),
        ("{{ config.region | join(',') }}", "eu"),
        ("{{ 'yes' if config.off else 'no' }}", "no"),
        ("{{ config.off }}", "false"),
        ("{{ 'page=17&x=1' | regex_search('page=([0-9]+)') }}", "17"),
        ("{{ 'page=17' | regex_search('[0-9]+') }}", "17"),
        ("{{ 'page' | regex_search('([0-9]+)') }}", ""),
        ("{{ 'a' | regex_search('a(b)?') }}", ""),
        ("{{ record.none | regex_search('a') }}", ""),
        ("{{ 'a1b22' | regex_replace('[0-9]+', '-') }}", "a-b-"),
        ("{{ 'ab' | regex_replace('(a)', '[\\\\1]') }}", "[a]b"),
        ("{{ 'a b/c' | urlencode }}", "a%20b/c"),
        ("{{ sanitize_url('a b/c') }}", "a+b%2Fc"),
        ("{{ camel_case_to_snake_case('CamelCaseID') }}", "camel_case_i_d"),
        ("{{ str_to_datetime('2026-03-31') - duration('P1M') }}", "2026-02-28T00:00:00Z"),
        ("{{ str_to_datetime('2024-02-29') + duration('P1YT2H') }}", "2025-02-28T02:00:00Z"),
        ("{{ (str_to_datetime('2026-01-03') - duration('P1DT12H')).isoformat() }}", "2026-01-01T12:00:00+00:00"),
        ("{{ duration('-PT1.5S') }}", -1.5),
        ("{{ duration('P2W') }}", 1209600.0),
        ("{{ str_to_datetime(record.at).strftime('%s %Y %%s') }}", "1767323045 2026 %s"),
    ],
)
def test_one_expression_has_its_own_type_and_anything_else_is_a_text(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "{{ record.none }}",
        "{{ record.none.deeper[3] }}",
        "{{ record.owner.id.x }}",
        "{{ record.tags[9] }}",
        "{{ record.none > 3 }}",
        "{{ record.owner.id + 1 }}",
        "{{ record.none.lower() }}",
        "{{ timestamp(record.none) }}",
        "{{ format_datetime(record.none, '%Y', '%d.%m.%Y') }}",
        "{{ record.tags.get('x') }}",
        "{{ record.tags.lower() }}",
        "{{ record.title() }}",
        "{{ record.total.get('x', {}).get('y') is none }}",
    ],
)
def test_what_is_computed_from_a_missing_field_is_none(text: str) -> None:
    assert value(text) is None


def test_values_are_copies() -> None:
    found = value("{{ record.tags }}")
    found.append(9)
    assert RECORD["tags"] == [2, 1]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("{{ record.total > 3 }}", True),
        ("{{ record.total > 9 }}", False),
        ("{{ record.none }}", False),
        ("{{ record.none > 1 }}", False),
        ("{{ not record.none }}", True),
        ("{{ not record.tags.get('more') }}", False),
        ("{{ record.name }}", True),
        ("{{ '' }}", False),
        ("{{ [] }}", False),
        ("{{ 'False' }}", False),
        ("{{ record.total - 5 }}", False),
        ("True", True),
        ("false", False),
        ("{% if record.total > 9 %}True{% endif %}", False),
    ],
)
def test_conditions(text: str, holds: bool) -> None:
    assert Rendered(Template(text), NAMES, "x").holds(VALUES) is holds


# Each would take minutes, gigabytes, or reach what is not data.
BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ [1] * 10**9 }}",
    "{{ 10 ** (10 ** 10) }}",
    "{{ 9 ** (9 ** (9 ** 9)) }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
    "{{ ('a' * 99999).replace('a', 'b' * 99999) }}",
    "{{ 'a' * 99999 | replace('a', 'b' * 99999) }}",
    "{{ 'x'.join(['a' * 100000] * 1000) }}",
    "{{ ['a' * 100000] * 1000 | join('x') }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% set a = 'xx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
    "{% set a = 'x' %}" + "{% set a = ('' ~ (a ~ a)) %}" * 60 + "{{ a }}",
    "{% set a = [1] %}" + "{% set b = [[a, a]].title or a %}{% set a = [[a, a], [b, b]][0] %}" * 40 + "{{ a }}",
    "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "{% set a = [1] %}{% set b = [1] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 30 + "{{ a == b }}",
    "{% set a = {1: 1} %}" + "{% set a = {1: a, 2: a} %}" * 40 + "{{ a | tojson }}",
    "{% set a = 99 ** 99 %}" + "{% set a = a * a %}" * 40 + "{{ a }}",
    "{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}",
    "{{ " + "-" * 3500 + "1 }}",
    "{{ " + "not " * 900 + "1 }}",
    "{{ " + "[" * 1500 + "]" * 1500 + " }}",
    "{{ " + "1+" * 1500 + "1 }}",
    "{{ 'a' * 5000 }}" + " " * 4000,
    "{{ now_utc().strftime('%Y' * 99999) }}",
    "{{ 9e999 }}",
    "{{ 1e300 * 1e300 }}",
    "{{ record.__class__.__mro__ }}",
    "{{ ''.__class__ }}",
    "{{ (record.name.format)('{0.__class__}') }}",
    "{{ '{0.__class__}'.format(record) }}",
    "{{ record | attr('__class__') }}",
    "{{ ['__class__'] | map(attribute='__class__') | list | first }}{{ lipsum(999) }}",
    "{{ self }}",
    "{{ cycler }}",
    "{{ namespace(a=1) }}",
    "{{ range }}",
    "{{ record.update({'a': 1}) }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% include 'x' %}",
    "{% import 'os' as os %}",
    "{% for a in record.tags recursive %}{{ loop(record.tags) }}{% endfor %}",
    "{{ config }}",
    "{{ config.items() }}",
    "{{ config[record.name] }}",
    "{{ config.get(record.name) }}",
    "{{ config.get('region', 'eu', 'us') }}",
    "{{ config.personal_salt }}",
    "{{ config.get('personal_salt') }}",
    "{% set c = config %}{{ c.region }}",
    "{{ [config] }}",
    "{{ record.name in config }}",
    "{{ record.name | regex_search(record.name) }}",
    "{{ ('a' * 60) | regex_search('(a+)+b') }}",
    "{{ [('a' * 60)] | map('regex_search', '(a+)+b') | list }}",
    "{{ ('a' * 60) | regex_search('" + "a?" * 60 + "a" * 60 + "') }}",
    "{{ ('a' * 60) | regex_search('" + "(a|a)" * 30 + "b') }}",
    "{{ ('a' * 5000) | regex_search('a*a*a*b') }}",
    "{{ ('a' * 4001) | regex_search('a*b') }}",
    "{{ ('a' * 4000) | regex_replace('(a*)', '" + "\\\\1" * 400 + "' * 99) }}",
    "{{ ('a' * 4000) | regex_replace('a', 'b' * 99999) }}",
    "{{ 'a' | regex_replace('a', '\\\\9') }}",
    "{{ duration('P1') }}",
    "{{ duration('P99999M') + duration('P1D') }}",
    "{{ str_to_datetime('2026-01-01') + duration('P9999Y') }}",
    "{{ duration('P9999999D') * 999999 }}",
    "{{ day_delta(10**9) }}",
    "{{ day_delta(1, '%Q') }}",
    "{{ today_with_timezone('../../etc/passwd') }}",
    "{{ today_with_timezone('Europe/Nowhere') }}",
    "{{ secrets.token }}",
    "{{ unknown }}",
    "{{ 1 / 0 }}",
    "{{ format_datetime(record.at, '%Y %s') }}",
    "{{ record.total.bit_count() }}",
    "{{ record.get }}{{ 1 / 0 }}",
    "{{ record.total",
    "",
]


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_hostile_templates_are_clear_errors_within_a_second(text: str) -> None:
    began = time.process_time()
    with pytest.raises(AnswerError) as caught:
        value(text)
    assert time.process_time() - began < 2
    assert "`added` field `x`" in str(caught.value) and len(str(caught.value)) < 700


def test_data_that_is_too_much_for_a_template_is_an_error_too() -> None:
    values = {"record": {"a": ["x"] * 2_000_000}}
    rendered = Rendered(Template("{{ record.a | join(',') }}"), NAMES, "`record_filter`")
    with pytest.raises(AnswerError, match="too much time or memory"):
        rendered.value(values)
    assert rendered.value({"record": {"a": ["x"]}}) == "x"


@pytest.mark.parametrize("text", ["i in record.a", "record.a == record.b", "i is in record.a", "record.a[1:] is none"])
def test_what_is_compared_many_times_is_paid_for(text: str) -> None:
    values = {"record": {"a": list(range(100_000)), "b": list(range(100_000))}}
    loop = Template("{% for i in range(-400, -1) %}{% if TEXT %}x{% endif %}{% endfor %}".replace("TEXT", text))
    began = time.process_time()
    with pytest.raises(AnswerError, match="too much time or memory"):
        Rendered(loop, NAMES, "x").value(values)
    assert time.process_time() - began < 2


def test_the_settings_that_a_template_names() -> None:
    text = "{{ config.region }} {{ config['team'] }} {{ config [ \"a b\" ] }} {{ config.region }} {{ record.x }}"
    assert Template(text).configured == ("region", "team", "a b") and Template(text).optional == ()


@pytest.mark.parametrize(
    "text",
    [
        "{{ config.get('a') }}",
        "{{ config.get('a', 'x') }}",
        "{{ 'a' in config }}",
        "{{ 'a' not in config }}",
        "{{ config.a is defined }}",
        "{{ config['a'] is not defined }}",
        "{{ config.a | default('x') | upper }}",
        "{{ config.a or 'x' }}",
        "{{ 'x' if not config.a }}",
        "{% if config.a %}x{% endif %}",
        "{{ config.a if 'a' in config else 'x' }}",
    ],
)
def test_a_setting_is_optional_if_the_template_says_what_holds_without_it(text: str) -> None:
    assert (Template(text).configured, Template(text).optional) == ((), ("a",))
    value(text)


@pytest.mark.parametrize("text", ["{{ config.a == 'x' }}", "{{ 'a' in config.a }}", "{{ config.a | lower }}"])
def test_a_setting_is_required_otherwise(text: str) -> None:
    assert (Template(text).configured, Template(text).optional) == (("a",), ())


def test_clocks_are_now_in_utc() -> None:
    now = datetime.now(UTC)
    found = datetime.fromisoformat(value("{{ day_delta(-1) }}"))
    assert timedelta(0) <= found - (now - timedelta(days=1)) < timedelta(minutes=1)
    assert int(value("{{ day_delta(1, '%s') }}")) - now.timestamp() == pytest.approx(86400, abs=60)
    days = {(now + timedelta(hours=hours)).date().isoformat() for hours in (-12, 14)}
    assert {value(f"{{{{ today_with_timezone('{zone}') }}}}") for zone in ("Etc/GMT+12", "Etc/GMT-14")} == days
    assert value("{{ generate_uuid() }}") != value("{{ generate_uuid() }}")


@pytest.mark.parametrize("pattern", ["a*a*a*b", "^.*.*.*x$", "[^b]*c[^b]*d", "(?:a|a|a|a|a)(?:a|a|a)?a*b"])
def test_no_pattern_takes_longer_than_a_second(pattern: str) -> None:
    began = time.process_time()
    assert pattern_problem(pattern) is None
    text = f"{{{{ ('a' * {longest_text(pattern)}) | regex_search('{pattern}') }}}}"
    assert value(text) == "" and time.process_time() - began < 2


@pytest.mark.parametrize("text", ["{{ 'a' ~ ('b' ~ [1, (2, 3)].title) }}", "{{ [{1: [record.a ~ 'x']}].items }}"])
def test_everything_that_makes_a_value_asks_the_budget(text: str) -> None:
    """Also what is inside of something that asks."""
    tree = parsed(text)
    _guard(tree, 1)
    unguarded = list(tree.find_all(nodes.Concat))
    literals = {id(node) for node in tree.find_all((nodes.List, nodes.Dict, nodes.Tuple))}
    paid = {id(node.node) for node in tree.find_all(nodes.Filter)}
    assert not unguarded and literals <= paid


def test_a_pattern_that_comes_by_another_name_is_looked_at_too() -> None:
    with pytest.raises(AnswerError, match="repeats a group"):
        value("{{ ['b'] | map('regex_search', '(a+)+b') | list }}")
