"""A template of a request that names what is never there, or a bound that is never sent, is refused when it is read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platform_assets.declarations import (
    BearerAuth,
    Client,
    Contract,
    DeclarationError,
    Endpoint,
    FanOut,
    Incremental,
    MisspeltError,
    OAuth2ClientCredentials,
    PageNumber,
    Platform,
    Resource,
    SinglePage,
    Template,
    TooDeep,
    validate,
)

BOUNDS: dict[str, Any] = {"cursor_path": "at", "start_param": "value:start"}
BOTH: dict[str, Any] = {**BOUNDS, "end_param": "value:end", "end_required": True}
START: dict[str, Any] = {"q": Template("{{ interval.start }}")}


def declared(endpoint: Endpoint, **more: Any) -> Platform:
    things = Resource(name="things", description="", endpoint=endpoint, columns={"id": "text", "at": "timestamp"})
    client = Client(auth=BearerAuth(), probe="/things", paginator=SinglePage())
    return Platform(
        **{"name": "shop", "title": "", "description": "", "client": client, "resources": (things,), **more}
    )


def get(**more: Any) -> Endpoint:
    return Endpoint(path="/things", **more)


WRONG: dict[str, tuple[Endpoint, str]] = {
    "syntax": (get(params={"q": Template("{{ a")}), "`params`: `q`: not a Jinja2 template"),
    "a text that means a template": (get(params={"q": "x{{ config.a }}"}), "`q` is a text, which is sent as it stands"),
    "a record": (get(params={"q": Template("{{ record.id }}")}), "`record` is not known here"),
    "a credential": (get(headers={"X": Template("{{ config.api_token }}")}), "`header:X`: `config.api_token`"),
    "a credential asked for": (get(params={"q": Template("{{ config.get('api_token') }}")}), "credential"),
    "the salt": (get(params={"q": Template("{{ config.personal_salt }}")}), "credential"),
    "no value": (get(params={"q": Template("{{ parent.org }}")}), "`parent.org` is no value that is known before it"),
    "itself": (get(params={"q": Template("{{ parent.q }}")}), "`parent.q` is no value"),
    "a later one": (
        get(params={"a": Template("{{ parent.b }}"), "b": Template("{{ 1 }}")}),
        "`parent.b` is no value that is known before it",
    ),
    "no interval": (get(params=START), "`interval.start` is not there without `incremental`"),
    "no end": (
        get(params={"q": Template("{{ stream_interval.end_time }}")}, incremental=Incremental(**BOUNDS)),
        "`stream_interval.end_time` is not there without `end_param",
    ),
    "an end that is not sent": (
        get(
            params={"q": Template("{{ interval.start }}-{{ interval.end }}")},
            incremental=Incremental(**BOUNDS, end_param="value:end"),
        ),
        "with `end_required` or `step`",
    ),
    "another interval": (
        get(params={"q": Template("{{ interval.begin }}")}, incremental=Incremental(**BOUNDS)),
        "an interval has `start` and `end`",
    ),
    "a start that nothing sends": (get(incremental=Incremental(**BOUNDS)), "the server would not filter"),
    "an end that nothing sends": (get(params=START, incremental=Incremental(**BOTH)), "no template has `interval.end`"),
    "too deep": (
        get(
            params=START,
            incremental=Incremental(
                cursor_path="at",
                start_param="since",
                end_param="until",
                row_order="desc",
                too_deep=TooDeep(status=400, text="deep"),
            ),
        ),
        "`too_deep` goes on by another `end_param`",
    ),
    "a page that only templates see": (
        get(paginator=PageNumber(page_param="value:page", limit=10)),
        "`value:page` would not be sent",
    ),
    "an address": (get(base_url="api.example.com"), "`base_url`: must be an address"),
    "an address with a query": (get(base_url="https://api.example.com?a=b"), "must be an address"),
    "an address of a record": (get(base_url=Template("https://{{ parent.a }}")), "`parent` is not known here"),
    "an address with a credential": (get(base_url=Template("https://{{ config.api_token }}")), "credential"),
    "an initial value": (
        get(incremental=Incremental(cursor_path="at", start_param="s", initial_value=Template("{{ interval.start }}"))),
        "`initial_value`: `interval` is not known here",
    ),
    "a pattern": (get(params={"q": Template("{{ config.a | regex_search('(a+)+') }}")}), "repeats a group"),
    "in another list": (get(also=(get(params=START),)), "`interval.start` is not there"),
    "inside JSON": (get(json={"a": [Template("{{ x }}")]}), "`json`: `body:a.0`: `x` is not known"),
    "inside a form": (get(method="POST", data={"a": Template("{{ x }}")}), "`data`: `body:a`: `x` is not known"),
}  # fmt: skip
GOOD = {
    "asked": get(params={"q": Template("{{ parent.get('x') or parent.y or interval.end or '' }}")}),
    "a value before it": get(
        params={"a": Template("{{ parent.b }}"), "value:b": Template("{{ parent.c }}"), "c": FanOut((1, 2))}
    ),
    "both bounds": get(
        params={"q": Template("{{ interval.start }}-{{ stream_slice['end_time'] }}")}, incremental=Incremental(**BOTH)
    ),
    "windows": get(
        params={"q": Template("{{ interval.start }}-{{ interval.end }}")},
        incremental=Incremental(
            **BOUNDS, end_param="value:end", step=timedelta(days=1), initial_value=Template("{{ day_delta(-1) }}")
        ),
    ),
    "an address": get(base_url="https://eu.example.com/v2"),
    "a templated address": get(base_url=Template("https://{{ config.region }}.example.com")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_template_that_cannot_be_filled_is_refused(case: str) -> None:
    endpoint, message = WRONG[case]
    with pytest.raises(DeclarationError) as caught:
        validate([declared(endpoint)])
    assert message in str(caught.value)


@pytest.mark.parametrize("case", GOOD)
def test_a_template_that_can_be_filled_is_accepted(case: str) -> None:
    validate([declared(GOOD[case])])


def test_addresses_of_platforms_and_contracts_are_checked() -> None:
    for base_url in (Template("https://{{ config.api_token }}"), "ftp://x"):
        with pytest.raises(DeclarationError, match="`base_url`"):
            validate([declared(get(), base_url=base_url)])
        contract = Contract(client=declared(get()).client, base_url=base_url)
        with pytest.raises(DeclarationError, match="`base_url` of contract 'live'"):
            validate([declared(get(), contracts={"live": contract})])
    validate([declared(get(), base_url=Template("https://{{ config.sub }}.example.com"))])


def test_no_template_has_the_credential_of_another_contract() -> None:
    live = Client(auth=OAuth2ClientCredentials(access_token_url="/token"), probe="/things", paginator=SinglePage())
    endpoint = get(params={"q": Template("{{ config.client_secret }}")})
    with pytest.raises(DeclarationError, match="credential"):
        validate([declared(endpoint, contracts={"live": Contract(client=live)})])
    validate([declared(endpoint)])


def test_a_template_is_no_text() -> None:
    with pytest.raises(MisspeltError, match="Template"):
        get(params={"q": Template})


def test_the_settings_of_a_contract_are_needed_unless_every_template_can_do_without() -> None:
    endpoint = get(
        base_url=Template("https://{{ config.region }}.example.com"),
        params={"a": Template("{{ config.get('a') }}"), "b": Template("{{ config.get('b') }}{{ config.c }}")},
        headers={"X": Template("{{ config.b }}")},
    )
    contract = Contract(client=declared(get()).client, base_url=Template("https://{{ config.live }}"))
    platform = declared(
        endpoint, base_url=Template("https://{{ config.sub }}.example.com"), contracts={"live": contract}
    )
    assert set(platform.configured_of("reference")) == {"sub", "region", "b", "c"}
    assert set(platform.configured_of("reference", is_located=True)) == {"region", "b", "c"}
    assert platform.optional_of("reference") == ("a",)
    assert platform.configured_of("live") == ("live",) and platform.configured_of("live", is_located=True) == ()
    assert replace(platform, base_url=None).configured_of("reference") == ("region", "c", "b")
