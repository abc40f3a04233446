"""What templates of requests and records see: the values of the request, its span of time, and settings."""

from collections.abc import Mapping

from platform_assets.declarations.places import seen_as


def template_values(
    values: Mapping[str, object], interval: Mapping[str, str], configured: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    """Variable -> its value.

    Args:
        values: place -> what the request is filled with.
        interval: `start` and `end` of the span of time, as they are sent; empty without one.
        configured: setting -> its values.
    """
    from platform_assets.http.templates import settings_values

    parent = {seen_as(place): value for place, value in values.items()}
    times = {f"{key}_time": bound for key, bound in interval.items()}
    return {
        "parent": parent,
        "stream_partition": parent,
        "stream_slice": {**times, **parent},
        "interval": interval,
        "stream_interval": {**times, **interval},
        "config": settings_values(configured),
    }
