"""A manifest's settings get flat names, and its templates name them by these."""

from typing import Any

import pytest

from platform_assets.importing.manifest.config_paths import settings_asked_for
from platform_assets.importing.manifest.settings import ConfigSettings

SECRET = {"type": "string", "airbyte_secret": True}
SPECIFICATION: dict[str, Any] = {
    "type": "object",
    "required": ["credentials", "region", "start_date"],
    "properties": {
        "credentials": {
            "type": "object",
            "oneOf": [
                {
                    "required": ["auth_type", "client_id"],
                    "properties": {"auth_type": {"const": "oauth"}, "client_id": SECRET, "clientSecret": SECRET},
                },
                {"properties": {"auth_type": {"const": "token"}, "api_key": SECRET}},
            ],
        },
        "region": {"type": "string", "default": "eu"},
        "start_date": {"type": "string", "format": "date"},
        "base_url": {"type": "string"},
        "page_size": {"type": "integer", "default": 100},
        "account": {"type": "object", "required": ["id"], "properties": {"id": {}, "name": {}}},
        "shop": {"type": "object", "properties": {"id": {}}},
        "tags": {"type": "array"},
    },
}


@pytest.fixture(scope="module")
def settings() -> ConfigSettings:
    return ConfigSettings(SPECIFICATION)


def test_names_are_flat_and_none_of_ours(settings: ConfigSettings) -> None:
    assert settings.all == (
        "auth_type",
        "client_id",
        "client_secret",
        "api_key",
        "region",
        "start_date",
        "source_base_url",
        "source_page_size",
        "account_id",
        "name",
        "shop_id",
        "tags",
    )
    assert settings.name(("credentials", "clientSecret")) == "client_secret"
    assert settings.name(("account", "id")) == "account_id"


def test_names_of_settings_that_nothing_declares(settings: ConfigSettings) -> None:
    # An older user has it at the top.
    assert settings.name(("api_key",)) == "api_key"
    assert settings.name(("Old Token",)) == "old_token"
    assert settings.name(("old", "token")) == "old_token"
    assert settings.name(("contract",)) == "source_contract"


def test_what_the_specification_says_of_them(settings: ConfigSettings) -> None:
    secrets = [name for name in settings.all if settings.is_secret(name)]
    assert secrets == ["client_id", "client_secret", "api_key"]
    # A credential of one of several options is required by none of them.
    assert [name for name in settings.all if settings.is_required(name)] == ["region", "start_date"]
    assert (settings.default("source_page_size"), settings.default("region"), settings.default("auth_type")) == (
        100,
        "eu",
        None,
    )
    assert (settings.is_secret("x"), settings.is_required("x"), settings.default("x")) == (False, False, None)


def test_two_keys_that_come_to_one_name_are_told_apart() -> None:
    found = ConfigSettings({"properties": {"clientId": {}, "client_id": {}, "***": {}, "日本": {}}})
    assert found.all == ("client_id", "client_id_2", "setting", "setting_2")


@pytest.mark.parametrize(
    ("written", "flat"),
    [
        ("config['region']", "config['region']"),
        ("{{ config['region'] }}", "{{ config['region'] }}"),
        ("{{config.region}}", "{{config['region']}}"),
        ("{{ config['credentials']['client_id'] }}", "{{ config.get('client_id') }}"),
        ('{{ config["credentials"].clientSecret }}', "{{ config.get('client_secret') }}"),
        ("{{ config.get('credentials', {}).get('client_id') }}", "{{ config.get('client_id') }}"),
        ("{{ (config.get('credentials') or {}).get('client_id') }}", "{{ config.get('client_id') }}"),
        ("{{ ((config.get('credentials') or {}).api_key) or 1 }}", "{{ (config.get('api_key')) or 1 }}"),
        ("{{ (config.get('credentials') or config).get('client_id') }}", "{{ config.get('client_id') }}"),
        ("{{ (config.get('region') or config).get('x') }}", "{{ (config['region'] or config).get('x') }}"),
        ("{{ (config.get('region') or {}).get('x') }}", "{{ (config['region'] or {}).get('x') }}"),
        ("{{ config.get('credentials', {}).get('api_key', 'none') }}", "{{ config.get('api_key', 'none') }}"),
        (
            "{{ config['base_url'] }}/x/{{ config.page_size }}",
            "{{ config.get('source_base_url') }}/x/{{ config.get('source_page_size', 100) }}",
        ),
        ("{{ config.tags[0] }}", "{{ config.get('tags')[0] }}"),
        ("{{ config['region'].split(',')[0] | upper }}", "{{ config['region'].split(',')[0] | upper }}"),
        ("{{ config['name'] is defined }}", "{{ config['name'] is defined }}"),
        ("{{ config['account']['name'] | default('x') }}", "{{ config['name'] | default('x') }}"),
        ("{{ config.get('old', config['account']['id']) }}", "{{ config.get('old', config.get('account_id')) }}"),
        ("{{ 'api_key' in config['credentials'] }}", "{{ 'api_key' in config }}"),
        ("{{ 'x' if 'id' not in config.account else 'y' }}", "{{ 'x' if 'account_id' not in config else 'y' }}"),
        (
            "{% if config['account'] %}a{% endif %}",
            "{% if (config.get('account_id') or config.get('name')) %}a{% endif %}",
        ),
        ("{{ record.config.region }} {{ config }}", "{{ record.config.region }} {{ config }}"),
        ("{{ config[record.key] }}", "{{ config[record.key] }}"),
        ("{{ 'config.region' }}", "{{ 'config.region' }}"),
        ("{{ config.region", "{{ config.region"),
        ("{{ config.undeclared.inner }}", "{{ config.get('undeclared').inner }}"),
    ],
)
def test_templates_name_settings_by_their_flat_names(settings: ConfigSettings, written: str, flat: str) -> None:
    assert settings.flattened(written) == flat
    # Once more it stays as it is, but for names that are ours.
    if "source_" not in flat:
        assert settings.flattened(flat) == flat


@pytest.mark.parametrize(
    "specification",
    [
        None,
        {},
        {"properties": []},
        {"properties": {"a": 1}},
        {"oneOf": {"a": 1}},
        {"required": 5, "properties": {"a": {}}},
    ],
)
def test_a_specification_that_is_none_has_no_settings_or_those_that_it_has(specification: Any) -> None:
    assert ConfigSettings(specification).all in ((), ("a",))


@pytest.mark.parametrize(
    ("written", "flat"),
    [
        ("{{ config['login']['api_key'] }}", "{{ config.get('api_key') }}"),
        ("{{ config.get('login', {}).get('user') }}", "{{ config.get('user') }}"),
        ("{{ config.get('user') or config['login']['user'] }}", "{{ config.get('user') or config.get('user') }}"),
        ("{{ config['apps'][0]['id'] }}", "{{ config.get('apps')[0]['id'] }}"),
        ("{{ config.since.split('T')[0] }}", "{{ config.get('since').split('T')[0] }}"),
    ],
)
def test_settings_inside_others_that_only_templates_name(written: str, flat: str) -> None:
    asked = settings_asked_for({"a": [{"b": written}, "{{ config['login']['api_key'] }} {{ config.login.user }}"]})
    settings = ConfigSettings(None, asked)
    assert settings.flattened(written) == flat
    assert [name for name in ("api_key", "user", "token", "apps") if settings.is_secret(name)] == ["api_key", "token"]


def test_a_specification_says_more_than_templates(settings: ConfigSettings) -> None:
    asked = settings_asked_for(["{{ config.region.zone }}", "{{ config['more']['secret'] }}", "{{ config.api_token }}"])
    told = ConfigSettings(SPECIFICATION, asked)
    assert set(told.all) - set(settings.all) == {"secret"} and told.is_secret("secret")
    assert not told.is_secret("api_token")
