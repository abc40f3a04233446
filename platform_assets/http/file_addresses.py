"""Addresses of files that an answer names: which of them are asked for, and which are refused.

A report is often a file on another server, with a signature in its address. That server gets no credential of ours.
What an answer says must not lead into the network that the project runs in, nor away from encryption.
"""

from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

# Values in an address that are long enough to be a signature or a token.
_SIGNATURE = 16


def refusal(link: str, api: str) -> str | None:
    """Why a file's address is not asked for; None if it is.

    Args:
        link: what the answer says.
        api: the API's own address.
    """
    try:
        parts = urlsplit(link)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not host:
        return "is no address"
    if "@" in parts.netloc:
        return "has a user in its address, which is refused"
    ours = urlsplit(api)
    if parts.scheme == "http" and ours.scheme == "https":
        return f"is on {host} without encryption, which is refused"
    if _is_inside(host) and not _is_inside(ours.hostname or ""):
        return f"is on {host}, inside of a private network, which is refused"
    return None


def signatures(link: str) -> list[str]:
    """Values of an address that let whoever has them read the file."""
    return [value for _, value in parse_qsl(urlsplit(link).query) if len(value) >= _SIGNATURE]


def _is_inside(host: str) -> bool:
    """Whether a host is this machine, or has an address of a private network."""
    try:
        found = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not found.is_global
