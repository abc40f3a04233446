"""Signals that end a run: from a terminal, from Dagster's UI, from the machine."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import dagster as dg

from platform_assets.cancellation import Cancellation, cancellable, current

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cancelled_by_signals(
    *, by_hand: bool = False, on_signal: Callable[[int], None] | None = None
) -> Iterator[Cancellation]:
    """SIGINT and SIGTERM cancel what runs inside, and raise nothing: an exception at any line could leave half a load.

    `on_signal` is called for every signal, in another thread. In a thread that is not the main one, which alone gets
    signals, what is current already stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield current()
        return
    # Its `put` may interrupt itself; no other lock may be taken in a signal handler.
    numbers: SimpleQueue[int | None] = SimpleQueue()
    with cancellable(by_hand=by_hand) as cancellation:

        def listen() -> None:
            while (number := numbers.get()) is not None:
                if on_signal is not None:
                    on_signal(number)
                cancellation.cancel()

        listener = threading.Thread(target=listen, name="signals", daemon=True)
        listener.start()
        before = {number: signal.signal(number, lambda given, _: numbers.put(given)) for number in _SIGNALS}
        try:
            yield cancellation
        finally:
            # A command that was told to end is about to: a second Ctrl-C must not change its exit code any more.
            is_over = by_hand and cancellation.cancelled
            for number, handler in before.items():
                if is_over:
                    signal.signal(number, signal.SIG_IGN)
                elif handler is not None:
                    signal.signal(number, handler)
            numbers.put(None)
            listener.join()


def canceled(context: dg.AssetExecutionContext) -> dg.DagsterExecutionInterruptedError:
    """What an op raises to end its whole run.

    Dagster marks the run as canceled where it asked for the end, or somebody at the terminal did; else as failed.
    It does neither where the op has a retry policy: it then runs the op again.
    """
    run = context.instance.get_run_by_id(context.run_id)
    if current().by_hand and run is not None and run.status is not dg.DagsterRunStatus.CANCELING:
        context.instance.report_run_canceling(run)
    return dg.DagsterExecutionInterruptedError("the run was told to end")
