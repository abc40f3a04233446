"""What dlt asks of a setting's type, and when patches/setting_hints.py can go."""

from typing import Any, Literal, Optional

import pytest
from dlt.common.configuration.specs import base_configuration
from dlt.common.configuration.specs.api_credentials import OAuth2Credentials
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration

from platform_assets.patches.setting_hints import remember_hints

HINTS = [
    str,
    str | None,
    list[str],
    Literal["a", "b"],
    TSecretStrValue,
    Optional[TSecretStrValue],  # noqa: UP045 -- dlt's own types know no `|`
    OAuth2Credentials,
    Any,
]


def asked(monkeypatch: pytest.MonkeyPatch, times: int) -> int:
    """How often dlt takes a type apart while it asks `times` times whether the type is secret."""
    made = 0
    plain = vars(base_configuration)["extract_inner_type"]

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal made
        made += 1
        return plain(*arguments, **options)

    monkeypatch.setattr(base_configuration, "extract_inner_type", counted)
    hint = str | None
    for _ in range(times):
        base_configuration.is_secret_hint(hint)  # pyright: ignore[reportArgumentType] -- dlt's hints are no types
    return made


def test_dlt_still_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """When this fails: delete patches/setting_hints.py."""
    for name in ("is_secret_hint", "extract_inner_hint"):
        remembering: Any = vars(base_configuration)[name]
        monkeypatch.setattr(base_configuration, name, getattr(remembering, "__wrapped__", remembering))
    assert asked(monkeypatch, 10) >= 10


def test_each_type_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_hints()
    remember_hints()
    assert asked(monkeypatch, 10) <= 2


def test_the_answers_are_dlts_own() -> None:
    remember_hints()
    hints = [*HINTS, *DuckDbClientConfiguration.get_resolvable_fields().values()]
    for name in ("is_secret_hint", "extract_inner_hint"):
        remembering: Any = vars(base_configuration)[name]
        for hint in (*hints, *hints):
            assert remembering(hint) == remembering.__wrapped__(hint)
    kept: Any = base_configuration.extract_inner_hint
    for hint in hints:
        options = {"preserve_literal": True}
        assert kept(hint, **options) == kept.__wrapped__(hint, **options)
