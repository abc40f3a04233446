"""Pipedrive (crm): v1 and v2 as on api.pipedrive.com, behind one token, a burst limit and a daily budget."""

from collections.abc import Callable
from typing import Any, ClassVar

from platform_assets.sandbox.backend import FakeBackend
from platform_assets.sandbox.tokens import sandbox_token
from platform_assets.sandbox.vendors.exchange import Handler, Refusal, Reply, Routes, Vendor, VendorRequest
from platform_assets.sandbox.vendors.limits import RollingWindow
from platform_assets.sandbox.vendors.options import PipedriveOptions
from platform_assets.sandbox.vendors.pipedrive_v1 import NOT_UNDER_API, RETIRED, PipedriveV1
from platform_assets.sandbox.vendors.pipedrive_v2 import PipedriveV2

_BLOCKED = b"<!DOCTYPE html><html><head><title>Access denied</title></head><body>You have been blocked.</body></html>"


class Pipedrive(Vendor):
    """Serves `/v1`, `/api/v1` and `/api/v2`."""

    name: ClassVar[str] = "pipedrive"
    platform: ClassVar[str] = "crm"

    def __init__(self, backend: FakeBackend, options: Callable[[], PipedriveOptions]) -> None:
        super().__init__(backend)
        self._options = options
        self._burst = RollingWindow()
        self._day, self._spent, self._refused = backend.now.date(), 0, 0
        first, second = PipedriveV1(self), PipedriveV2(self)
        handlers: dict[str, Handler] = {}
        for prefix, routes in (("/v1", first.routes), ("/api/v1", first.routes), ("/api/v2", second.routes)):
            for path, (cost, handler) in routes.items():
                if prefix != "/api/v1" or not path.startswith(NOT_UNDER_API):
                    handlers[prefix + path] = self._charged(cost, handler)
        # Pipedrive: out of support, no status promised; 410 here.
        handlers |= {f"{prefix}{path}": self._retired for prefix in ("/v1", "/api/v1") for path in RETIRED}
        self._routes = Routes(handlers)

    def error(self, status: int, message: str) -> Any:
        info = "Please check developers.pipedrive.com for more information about Pipedrive API."
        return {"success": False, "error": message, "error_info": info, "errorCode": status}

    def answer(self, request: VendorRequest) -> Reply:
        options = self._options()
        if options.blocked_after is not None and self._refused >= options.blocked_after:
            # Pipedrive: repeated abuse is answered by Cloudflare.
            return Reply(_BLOCKED, 403, media_type="text/html")
        # Pipedrive: the header is the only form for a token, in v1 and v2.
        if request.headers.get("x-api-token") != sandbox_token(self.platform):
            raise self.refuse(401, "unauthorized access")
        found = self._routes.find(request.path)
        if found is None:
            raise self.refuse(404, "Unknown method .")
        if request.method != "GET":
            raise self.refuse(405, "Method not allowed")
        handler, values = found
        return handler(request, values)

    def _retired(self, request: VendorRequest, values: tuple[str, ...]) -> Reply:
        raise self.refuse(410, "This endpoint is no longer available. Please use API v2.")

    def _charged(self, cost: int, handler: Handler) -> Handler:
        """A handler whose requests count against both limits; a refusal costs as much as an answer."""

        def answer(request: VendorRequest, values: tuple[str, ...]) -> Reply:
            headers = self._count(cost)
            try:
                reply = handler(request, values)
            except Refusal as refusal:
                refusal.reply.headers.update(headers)
                raise
            reply.headers.update(headers)
            return reply

        return answer

    def _count(self, cost: int) -> dict[str, str]:
        """Count a request; the headers that say what is left."""
        options, today = self._options(), self.backend.now.date()
        if today != self._day:
            self._day, self._spent = today, 0
        standing = self._burst.take(options.burst_limit, options.burst_seconds)
        is_spent = self._spent + cost > options.daily_tokens
        if is_spent:
            # Pipedrive: once it is spent every request is refused until the server's midnight, the cheapest ones too.
            self._spent = options.daily_tokens
        elif not standing.exceeded:
            self._spent += cost
        # Pipedrive: reset is in seconds; there is no Retry-After.
        headers = {
            "x-ratelimit-limit": str(standing.limit),
            "x-ratelimit-remaining": str(standing.remaining),
            "x-ratelimit-reset": str(standing.reset),
        }
        if options.daily_headers:
            headers["x-daily-ratelimit-token-limit"] = str(options.daily_tokens)
            headers["x-daily-ratelimit-token-remaining"] = str(options.daily_tokens - self._spent)
        if is_spent or standing.exceeded:
            self._refused += 1
            raise Refusal(Reply(self.error(429, "request over limit"), 429, headers))
        return headers
