"""However requests arrive, no window of the declared length ever holds more than the declared number."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from platform_assets.extraction.limiter import Limiter
from platform_assets.vocabulary import RateLimit


@given(st.integers(1, 5), st.floats(0.5, 10), st.lists(st.floats(0, 5), min_size=1, max_size=40))
def test_no_window_holds_more_than_the_limit(requests: int, seconds: float, pauses: list[float]) -> None:
    now = 0.0

    def sleep(span: float) -> None:
        nonlocal now
        now += span

    limiter = Limiter(RateLimit(requests=requests, seconds=seconds), clock=lambda: now, sleep=sleep)
    sent: list[float] = []
    for pause in pauses:
        now += pause
        limiter.wait()
        sent.append(now)
    for first, later in zip(sent, sent[requests:], strict=False):
        assert later - first >= seconds - 1e-6


def test_threads_share_the_limit() -> None:
    limiter = Limiter(RateLimit(requests=5, seconds=0.2))
    sent: list[float] = []

    def ask() -> None:
        for _ in range(4):
            limiter.wait()
            sent.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(sent) - min(sent) >= 0.55
