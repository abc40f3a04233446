"""The limits of requests that a manifest declares (`HTTPAPIBudget`)."""

from collections.abc import Mapping
from typing import Any

from platform_assets.declarations import RateLimit
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.durations import iso_duration


def rate_limit_of(budget: Mapping[str, Any] | None, findings: Findings) -> RateLimit | tuple[RateLimit, ...] | None:
    """The limits that hold for all requests; None without any."""
    found: list[RateLimit] = []
    for policy in (budget or {}).get("policies") or ():
        if not isinstance(policy, Mapping) or policy.get("type") == "UnlimitedCallRatePolicy":
            continue
        if policy.get("matchers"):
            findings.assumed(None, "api_budget", "a limit of some requests is left to the server's 429")
            continue
        rates = policy.get("rates") or [{"limit": policy.get("call_limit"), "interval": policy.get("period")}]
        for rate in rates if isinstance(rates, list) else ():
            limit = rate.get("limit") if isinstance(rate, Mapping) else None
            interval = iso_duration(rate.get("interval")) if isinstance(rate, Mapping) else None
            if isinstance(limit, str) and limit.isdigit():
                limit = int(limit)
            if type(limit) is int and limit > 0 and interval is not None:
                found.append(RateLimit(requests=limit, seconds=interval.total_seconds()))
    return None if not found else found[0] if len(found) == 1 else tuple(found)
