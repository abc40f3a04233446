"""dlt's capabilities of a destination, found once: dlt reads every setting of the destination anew each time it asks.

A sync of two resources asks 17 times, which was two fifths of the time of a sync with nothing new. It can go when
tests/patches/test_destination_capabilities.py::test_dlt_still_resolves_the_settings_each_time fails.
"""

import copy
from typing import Any

from dlt.common.destination import DestinationCapabilitiesContext


def remember_capabilities(destination: Any) -> Any:
    """The same destination; what it is capable of is found once per naming convention and copied for each who asks."""
    ask = destination.capabilities
    answers: dict[tuple[type | None, Any], DestinationCapabilitiesContext] = {}

    def capabilities(config: Any = None, naming: Any = None) -> DestinationCapabilitiesContext:
        if config is not None:
            return ask(config, naming)
        key = type(naming), getattr(naming, "max_length", None)
        if key not in answers:
            answers[key] = ask(naming=naming)
        return copy.copy(answers[key])

    destination.capabilities = capabilities
    return destination
