"""A request to a vendor and its reply, as every vendor's module sees them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import unquote

import orjson

from platform_assets.sandbox.backend import FakeBackend


@dataclass(frozen=True)
class VendorRequest:
    """One request to a vendor.

    Args:
        path: after `/vendor/<name>`, still percent-encoded.
        query: names and values in the order sent; a name may occur twice.
        base: what the client has as base URL, e.g. `http://127.0.0.1:8000/vendor/buildkite`.
        active: requests in progress to the same path, this one included.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes
    base: str
    active: int = 1

    def value(self, name: str) -> str | None:
        """A parameter's last value."""
        found = self.values(name)
        return found[-1] if found else None

    def values(self, *names: str) -> list[str]:
        """All values of a parameter, e.g. of `state` and `state[]`."""
        return [value for name, value in self.query if name in names]


@dataclass
class Reply:
    """A response. `body` is sent as JSON, or as it is if it is bytes."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


class Refusal(Exception):
    """A reply other than 200, raised where the reason is found."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


Handler = Callable[[VendorRequest, tuple[str, ...]], Reply]


class Routes:
    """Finds the handler of a path; `*` in a pattern stands for one segment, which arrives decoded."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = [
            (re.compile(re.escape(path).replace(r"\*", "([^/]+)")), handler) for path, handler in handlers.items()
        ]

    def find(self, path: str) -> tuple[Handler, tuple[str, ...]] | None:
        for pattern, handler in self._handlers:
            match = pattern.fullmatch(path)
            if match:
                return handler, tuple(unquote(value) for value in match.groups())
        return None


class Vendor(ABC):
    """A vendor's API over the backend's records."""

    name: ClassVar[str]
    platform: ClassVar[str]

    def __init__(self, backend: FakeBackend) -> None:
        self.backend = backend

    @property
    def tables(self) -> dict[str, Any]:
        return self.backend.tables[self.platform]

    def reply(self, request: VendorRequest) -> Reply:
        """Reply to a request, with the body as bytes: the backend does not change meanwhile."""
        with self.backend.lock:
            try:
                found = self.answer(request)
            except Refusal as refusal:
                found = refusal.reply
            return replace(found, body=found.content)

    @abstractmethod
    def answer(self, request: VendorRequest) -> Reply:
        """Reply to a request, or raise Refusal."""

    @abstractmethod
    def error(self, status: int, message: str) -> Any:
        """The body of an error."""

    def refuse(self, status: int, message: str) -> Refusal:
        """An error to raise."""
        return Refusal(Reply(self.error(status, message), status))

    def number(
        self, request: VendorRequest, name: str, default: int, *, lowest: int = 0, highest: int | None = None
    ) -> int:
        """A whole number from the query, capped at `highest`; 400 if it is not one."""
        text = request.value(name)
        if text is None:
            return default
        if not re.fullmatch(r"\d{1,18}", text) or int(text) < lowest:
            raise self.refuse(400, f"{name} must be a whole number from {lowest}")
        return int(text) if highest is None else min(int(text), highest)


def flat(groups: Mapping[Any, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All records of a table that is held by parent."""
    return [record for group in groups.values() for record in group]
