"""`parameters` in templates are replaced, everything else in them stays as it was written."""

from typing import Any

import pytest

from platform_assets.importing.manifest.parameters import Parameters
from platform_assets.importing.values import TooLarge

PARAMETERS: dict[str, Any] = {
    "path": "/orders",
    "limit": 50,
    "fields": ["id", "name"],
    "nested": {"key": "k'ey"},
    "flag": False,
    "nothing": None,
    "inner": "{{ config['region'] }}",
    "other": "{{ parameters['path'] }}/x",
    "itself": "{{ parameters['itself'] }}!",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no template parameters.path", "no template parameters.path"),
        ("{{ parameters['path'] }}", "/orders"),
        ("{{parameters.limit}}", 50),
        ('{{ parameters["fields"] }}', ["id", "name"]),
        ("{{ parameters.fields[1] }}", "name"),
        ("{{ parameters.nested.key }}", "k'ey"),
        ("{{ options['path'] }}", "/orders"),
        ("{{ parameters.get('path') }}", "/orders"),
        ("{{ parameters.get('none', 'else') }}", "else"),
        ("{{ parameters.get('none', parameters.limit) }}", 50),
        ("{{ parameters.flag }}", False),
        ("{{ parameters.nothing }}", None),
        ("{{ parameters['missing'] }}", ""),
        ("a{{ parameters['missing'] }}b", "ab"),
        ("{{ parameters['missing'] or 'x' }}", "x"),
        ("{{ parameters['missing'] | default('x') }}", "x"),
        ("{{ 'y' if parameters.missing is defined else 'n' }}", "n"),
        ("{{ 'y' if 'limit' in parameters else 'n' }}", "y"),
        ("v1{{ parameters['path'] }}/{{ parameters.limit }}", "v1/orders/50"),
        ("{{ parameters['limit'] * 2 }}", 100),
        ("{% if parameters.limit > 10 %}many{% else %}few{% endif %}", "many"),
        ("{{ parameters.nested.key ~ config['x'] }}", "{{ \"k'ey\" ~ config['x'] }}"),
        ("{{ config[parameters.path] }}", "{{ config['/orders'] }}"),
        ("{{ record['x'] }} {{ parameters.limit }}", "{{ record['x'] }} 50"),
        ("{{ parameters.inner }}", "{{ config['region'] }}"),
        ("{{ parameters.other }}", "/orders/x"),
        ("{{ record.parameters }} {{ x(parameters=1) }}", "{{ record.parameters }} {{ x(parameters=1) }}"),
        ("{{ 'parameters.path' }}", "{{ 'parameters.path' }}"),
        ("{{- parameters.limit -}} ", 50),
        ("a {{- parameters.limit -}} b", "a50b"),
        ("{# parameters.path #}{{ parameters.limit }}", "{# parameters.path #}50"),
        ("{{ now_utc() if parameters.flag else 1 }}", "{{ now_utc() if false else 1 }}"),
        ("{{ parameters.path", "{{ parameters.path"),
        ("{{ parameters.path.upper() }}", "/ORDERS"),
    ],
)
def test_parameters_are_replaced(text: str, value: Any) -> None:
    found = Parameters().replaced(text, PARAMETERS)
    assert (found, type(found)) == (value, type(value))


def test_a_parameter_that_names_itself_ends() -> None:
    assert Parameters().replaced("{{ parameters.itself }}", PARAMETERS) == "!!!"


def test_what_takes_too_much_to_compute_is_not_computed() -> None:
    assert Parameters().replaced("{{ parameters.limit ** 999999 }}", PARAMETERS) == "{{ 50 ** 999999 }}"


def test_texts_without_end_are_not_made() -> None:
    parameters = Parameters()
    with pytest.raises(TooLarge):
        parameters.replaced("{{ parameters.x ~ config.y }}", {"x": ["x" * 5_000] * 1_000})
    with pytest.raises(TooLarge):
        for _ in range(1_000):
            parameters.replaced("a{{ parameters.x }}", {"x": "x" * 10_000})
