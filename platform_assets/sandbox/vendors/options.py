"""What can be switched on the vendors' APIs; the defaults let a load pass without a wait."""

from dataclasses import dataclass, field


@dataclass
class BuildkiteOptions:
    """Switches of Buildkite.

    Args:
        builds_depth: how many builds one list reaches down to; deeper pages are 400. The default is met by a first load
            of the default records (2,450 builds).
        organization_limit: requests per window for all users (Buildkite: 200).
        user_limit: requests per window for the token's user (Buildkite: 50).
        window_seconds: length of the window, in real time.
        link_shows_key: whether Link URLs carry the token as `api_key`, as in Buildkite's own example.
    """

    builds_depth: int = 1000
    organization_limit: int = 100_000
    user_limit: int = 100_000
    window_seconds: float = 60
    link_shows_key: bool = False


@dataclass
class K6LegacyOptions:
    """Switches of the k6 API of before v6; neither page size is documented.

    Args:
        page_size: tests per page without `page_size`.
        highest_page_size: the most that `page_size` grants.
        counts_page: whether `meta.count` is the number of a page's tests instead of all of them; neither is documented.
    """

    page_size: int = 20
    highest_page_size: int = 100
    counts_page: bool = False


@dataclass
class GrafanaK6Options:
    """Switches of the k6 API v6.

    Args:
        stack_id: the stack that holds all projects; `X-Stack-Id` must name it.
        stack_url: the stack's address, for `X-Stack-Url` of `/cloud/v6/auth`.
        page_size: both the default and the maximum of `$top`.
        script_type: the media type of scripts. `application/json` is a JSON text; every other is the script as it is.
        refused: id of a test -> the status with which its script and its runs are refused, although it is in the list.
    """

    stack_id: int = 4711
    stack_url: str = "https://sandbox.grafana.net"
    page_size: int = 1000
    script_type: str = "text/javascript"
    refused: dict[int, int] = field(default_factory=dict)


@dataclass
class SentryOptions:
    """Switches of Sentry.

    Args:
        hidden_rows: how many rows are filtered out after paging, in the middle of every list with two rows or more.
            From 199 on a page is empty although more follow.
        brownout: whether deprecated endpoints answer 410 now; they also do in the minute after noon UTC.
        request_limit: requests per window to each endpoint.
        window_seconds: length of the window, in real time.
        concurrent_limit: requests in progress at the same time to one endpoint; needs a sandbox with latency.
        plain_throttle: whether 429 has a bare text as body, without a JSON content type.
        link_host: the server's configured address, which Link headers show whatever host was asked.
        knows_all_projects: whether `all_projects=1` gives an organization's projects in one answer.
    """

    hidden_rows: int = 200
    brownout: bool = False
    request_limit: int = 100_000
    window_seconds: int = 60
    concurrent_limit: int = 1000
    plain_throttle: bool = True
    link_host: str = "https://sentry.example.com"
    knows_all_projects: bool = True


@dataclass
class NinjaOneOptions:
    """Switches of NinjaOne.

    Args:
        token_lifetime: `expires_in` of an access token, in seconds of the backend's clock.
        token_uses: how many requests an access token serves before it counts as expired; None for no bound.
        page_size: how many organizations or locations come without `pageSize`.
        html_pages: how many of the next requests are throttled by an HTML page with status 200; counts down.
    """

    token_lifetime: int = 3600
    token_uses: int | None = None
    page_size: int = 200
    html_pages: int = 0


@dataclass
class PipedriveOptions:
    """Switches of Pipedrive.

    Args:
        daily_tokens: the company's budget of a day of the backend's clock (Pipedrive: from 30,000).
        daily_headers: whether answers say what is left of it; live ones sometimes do not.
        burst_limit: requests per rolling window (Pipedrive: from 20 in 2 s).
        burst_seconds: length of that window, in real time.
        blocked_after: after how many 429 every request is an HTML page with 403; None for never.
    """

    daily_tokens: int = 10_000_000
    daily_headers: bool = True
    burst_limit: int = 100_000
    burst_seconds: float = 2
    blocked_after: int | None = None


@dataclass
class VendorOptions:
    """Switches of all vendors; may be changed while the sandbox runs."""

    buildkite: BuildkiteOptions = field(default_factory=BuildkiteOptions)
    k6_legacy: K6LegacyOptions = field(default_factory=K6LegacyOptions)
    grafana_k6: GrafanaK6Options = field(default_factory=GrafanaK6Options)
    sentry: SentryOptions = field(default_factory=SentryOptions)
    ninjaone: NinjaOneOptions = field(default_factory=NinjaOneOptions)
    pipedrive: PipedriveOptions = field(default_factory=PipedriveOptions)
