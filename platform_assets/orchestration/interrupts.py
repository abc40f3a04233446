"""Signals that end a run: from a terminal, from Dagster's UI, from the machine.

`platform_assets/cancellation.py` carries the cancellation through the threads; this is its connection to the operating
system's signals and to Dagster's states of a run.
"""

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
    """SIGINT and SIGTERM cancel what runs inside. They raise nothing: an exception at any line could leave half a load.

    Outside the main thread, which alone receives signals, the current cancellation stays in effect.

    Args:
        by_hand: the run belongs to a command in a terminal, which reports the cancellation to Dagster.
        on_signal: called with the number of every signal, in another thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield current()
        return
    # A signal handler may take no lock that the interrupted thread may hold; `SimpleQueue.put` is reentrant.
    numbers: SimpleQueue[int | None] = SimpleQueue()
    with cancellable(by_hand=by_hand) as cancellation:

        def listen() -> None:
            while (number := numbers.get()) is not None:
                if on_signal is not None:
                    on_signal(number)
                cancellation.cancel()

        listener = threading.Thread(target=listen, name="signals", daemon=True)
        listener.start()
        before = {number: signal.signal(number, lambda received, _: numbers.put(received)) for number in _SIGNALS}
        try:
            yield cancellation
        finally:
            # A cancelled command is about to exit: a second Ctrl-C must not change its exit code.
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

    Dagster marks the run as canceled if somebody canceled it in the UI or at the terminal, else as failed. If the op
    had a retry policy, Dagster would do neither and run the op again.
    """
    run = context.instance.get_run_by_id(context.run_id)
    if current().by_hand and run is not None and run.status is not dg.DagsterRunStatus.CANCELING:
        context.instance.report_run_canceling(run)
    return dg.DagsterExecutionInterruptedError("the run was canceled")
