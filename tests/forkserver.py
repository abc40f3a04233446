"""Processes that are forked from one that has imported everything a sync needs, and has synced once.

There is one forkserver in a Python process, and the modules that it imports beforehand are a setting of that one: so
the setting is here, and nowhere else. A process forked from it costs no import.
"""

import multiprocessing

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.simulation.warm", "tests.sync.in_process"])
