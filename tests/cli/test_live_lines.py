"""What a live display says, with a clock that is moved by hand; and that it fits into 80 columns."""

import io
import logging

import pytest
from rich.console import Console

from platform_assets.cli.live import LoggedWaits, rendered
from platform_assets.cli.live_lines import LiveLines
from platform_assets.cli.phases import PhaseClock
from platform_assets.http.client import RATE_LIMIT
from platform_assets.progress import Phase


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(clock: Clock) -> LiveLines:
    return LiveLines({"crm": 26, "device_management": 8}, PhaseClock(clock), clock)


def doing(shown: LiveLines, platform: str = "crm") -> str:
    return {name: text for name, _, text in shown.texts()}[platform]


def test_the_way_of_one_platform() -> None:
    shown = lines(Clock())
    assert doing(shown) == ""
    shown.planning("crm")
    assert doing(shown) == "planning"
    shown.reads_planned("crm", {"deals": 1, "deal_products": 420})
    shown.read_began("crm", "deal_products")
    shown.read_began("crm", "deal_products")
    shown.read_began("crm", "deals")
    shown.page_read("crm", "deal_products", 3)
    shown.read_ended("crm", "deal_products", 1)
    assert doing(shown) == "reading deal_products 1/420 and 1 more"
    shown.read_ended("crm", "deal_products", 419)
    assert doing(shown) == "reading deals"
    shown.read_ended("crm", "deals", 1)
    shown.landing("crm")
    assert doing(shown) == "landing"
    shown.landed("crm", "deals", failed=False)
    shown.landed("crm", "deal_products", failed=True)
    assert doing(shown) == "1 failed" and doing(shown, "device_management") == ""
    crm = shown.platforms["crm"]
    assert (crm.landed, crm.failed, crm.pages, crm.rows) == (1, 1, 1, 3)


def test_a_wait_counts_down_and_ends_by_itself() -> None:
    clock = Clock()
    shown = lines(clock)
    shown.reads_planned("crm", {"deals": 1})
    shown.read_began("crm", "deals")
    shown.waiting("crm", 12.0, "for the rate limit")
    shown.waiting("crm", 3.0, "to try again after a 503")
    assert doing(shown) == "waiting 12 s for the rate limit"
    clock.now = 8.0
    assert doing(shown) == "waiting 4 s for the rate limit"
    clock.now = 11.5
    assert doing(shown) == "reading deals"
    shown.waiting("crm", 0.2, "for the rate limit")
    assert doing(shown) == "reading deals", "not worth a word"


def test_a_wait_for_a_retry_is_logged_once_for_all_reads_that_wait(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    observer = LoggedWaits(PhaseClock(), lambda: now[0])
    with caplog.at_level(logging.INFO, "platform_assets.cli.live"):
        for _ in range(3):
            observer.waiting("crm", 2.0, "to try again: cannot reach https://crm.example.com:443")
        observer.waiting("crm", 30.0, RATE_LIMIT)
        now[0] += 2.1
        observer.waiting("crm", 4.0, "to try again after a 503")
    assert caplog.messages == [
        "crm: waiting 2 s to try again: cannot reach https://crm.example.com:443",
        "crm: waiting 4 s to try again after a 503",
    ]


def test_the_last_line_tells_what_no_platform_does() -> None:
    clock = Clock()
    phases = PhaseClock(clock)
    shown = LiveLines({"crm": 1}, phases, clock)
    clock.now = 7.4
    with phases.phase(Phase.DAGSTER):
        assert shown.last_line == "7 s  Dagster loads its definitions"
        shown.reads_planned("crm", {"deals": 1})
        assert shown.last_line == "7 s  Dagster records what was done"
        with phases.phase(Phase.LOADING):
            assert shown.last_line == "7 s"
        with phases.phase(Phase.MODELS):
            assert shown.last_line == "7 s  dbt reads its project"
            shown.dbt_node(17, 254, "crm_forecast")
        assert shown.last_line == "7 s  dbt 17/254 crm_forecast"


def test_80_columns_hold_it() -> None:
    shown = lines(Clock())
    name = "a_resource_with_a_name_that_is_longer_than_all_others_and_than_the_terminal"
    shown.reads_planned("device_management", {name: 1_000_000})
    shown.read_began("device_management", name)
    shown.page_read("device_management", name, 123_456_789)
    shown.dbt_node(1, 2, name * 2)
    file = io.StringIO()
    Console(file=file, width=80, force_terminal=False).print(rendered(shown))
    text = file.getvalue().split("\n")
    assert len(text) == 5 and all(len(line) <= 80 for line in text)
    assert any("device_management  " in line and "123456789  reading a_res" in line and "…" in line for line in text)
