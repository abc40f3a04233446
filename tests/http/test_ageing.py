"""What responses announce about the end of an endpoint."""

from datetime import date

import pytest

from platform_assets.declarations import Deprecation, Endpoint, Resource
from platform_assets.extraction.support import Support, support
from platform_assets.http.ageing import Notice, notice


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Sunset": ""}, None),
        ({"Deprecation": "false"}, None),
        ({"Deprecation": "true"}, Notice()),
        ({"deprecation": "@1688169599"}, Notice()),
        ({"Sunset": "Sat, 31 Dec 2026 23:59:59 GMT"}, Notice(date(2026, 12, 31))),
        ({"sunset": "not a date"}, None),
        ({"sunset": "@99999999999999"}, None),
        (
            {"X-Sentry-Deprecation-Date": "2026-05-15T00:00:00+00:00", "X-Sentry-Replacement-Endpoint": "/api/0/new/"},
            Notice(date(2026, 5, 15), "/api/0/new/"),
        ),
    ],
)
def test_headers_that_announce_an_end_are_understood(headers: dict[str, str], expected: Notice | None) -> None:
    assert notice(headers) == expected


def resource(*endpoints: Endpoint) -> Resource:
    first, *others = endpoints
    endpoint = Endpoint(path=first.path, deprecation=first.deprecation, also=tuple(others))
    return Resource(name="things", description="Things.", endpoint=endpoint, columns={"id": "text"})


def test_the_earliest_end_of_any_list_counts_declared_or_announced() -> None:
    declared = Endpoint(path="/old", deprecation=Deprecation(sunset="2027-03-01", replacement="GET /new"))
    announced = {"/older": Notice(date(2027, 1, 1), "GET /other")}
    assert support(resource(Endpoint(path="/fine")), announced) == Support()
    found = support(resource(declared, Endpoint(path="/older")), announced)
    assert found == Support(("/old", "/older"), date(2027, 1, 1), "GET /new")


def test_an_end_is_near_thirty_days_before_it_and_after_it() -> None:
    ends = Support(("/old",), date(2027, 1, 31))
    assert [ends.ends_soon(date(2026, 12, 31)), ends.ends_soon(date(2027, 1, 1))] == [False, True]
    assert ends.ends_soon(date(2027, 6, 1))
    assert not Support(("/old",)).ends_soon(date(2027, 1, 1))
