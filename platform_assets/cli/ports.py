"""Whether a command can listen where it was told to, before it starts anything."""

import os
import socket

from platform_assets.declarations import PlatformAssetsError


class PortUnavailable(PlatformAssetsError):
    """The address or port of an option cannot be listened on; the command ends with exit code 2, as for any option."""


def check_port(what: str, host: str, port: int) -> None:
    """Raise PortUnavailable if `what` cannot listen on `host:port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # Python appends the address to its own text.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PortUnavailable(
            f"{what} cannot listen on {host}:{port}: {reason}; choose another port with --port"
        ) from None
