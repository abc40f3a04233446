"""Reports that a server makes on request: every history of a job ends in all of its rows, or in a clear error."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from platform_assets.cancellation import Cancelled, cancellable
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Csv,
    Cursor,
    Endpoint,
    ErrorHandler,
    Gzip,
    Incremental,
    JobRequest,
    Json,
    JsonLines,
    Platform,
    ReportJob,
    Resource,
    ResponseAction,
    ResponseFormat,
    SinglePage,
    Template,
    validate,
)
from platform_assets.extraction.reading import ListRead, read_records
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, RequestFailed
from tests.servers.http_server import HttpServer, Reply, Request
from tests.servers.report_api import TOKEN, ReportApi, Row

ROWS: list[Row] = [{"id": str(number), "name": f"Row {number} ü"} for number in range(7)]
ID = {"id": Template("{{ creation_response.id }}")}
CANCEL = JobRequest(path="/reports/{id}/cancel", params=ID, method="POST")
DELETE = JobRequest(path="/reports/{id}", params=ID, method="DELETE")


def as_csv(rows: list[Row]) -> bytes:
    return "\n".join(["id,name", *(f"{one['id']},{one['name']}" for one in rows)]).encode()


def zipped(rows: list[Row]) -> Reply:
    return Reply(gzip.compress(as_csv(rows)))


def job(**changes: Any) -> ReportJob:
    given: dict[str, Any] = {
        "poll": JobRequest(path="/reports/{id}", params=ID),
        "status": "report.status",
        "completed": ("DONE",),
        "running": ("WAITING", "RUNNING"),
        "failed": ("FATAL",),
        "timed_out": ("EXPIRED",),
        "skipped": ("NO_DATA",),
        "targets": "report.url",
        "abort": CANCEL,
        "delete": DELETE,
        "timeout": timedelta(minutes=1),
    }
    return ReportJob(**{**given, **changes})


def shop(report: ReportJob, response_format: ResponseFormat | None = None, **changes: Any) -> Platform:
    response_format = response_format or Gzip(of=Csv())
    endpoint = Endpoint(path="/reports", method="POST", job=report, response_format=response_format, **changes)
    orders = Resource(
        name="orders",
        description="Orders.",
        endpoint=endpoint,
        columns={"id": "text", "name": "text", "at": "timestamp"},
    )
    client = Client(auth=BearerAuth(), probe="/me", paginator=SinglePage(), headers={"X-Account": "acme-account"})
    found = Platform(name="shop", title="Shop", description="A shop.", client=client, resources=(orders,))
    validate([found])
    return found


class Clock:
    """A clock that only waits move."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self) -> float:
        return sum(self.waits)


@pytest.fixture
def api() -> Iterator[ReportApi]:
    with ReportApi(lambda asked: ROWS, zipped) as found:
        yield found


def read(api: ReportApi, platform: Platform, clock: Clock | None = None) -> tuple[list[Row], Counter[str]]:
    clock = clock or Clock()
    counts: Counter[str] = Counter()
    settings = Settings(base_url=api.url, token=TOKEN, backoff_factor=0.0)
    with ApiClient(platform, settings, sleep=clock.waits.append, clock=clock) as client:
        reading = ListRead(client, platform.resource("orders"), counts=counts)
        return [record for page in read_records(reading) for record in page], counts


def ended(api: ReportApi) -> list[list[str]]:
    return [one.ended_by for one in api.jobs]


def test_a_report_is_asked_for_until_it_is_there(api: ReportApi) -> None:
    api.histories = [["WAITING", "RUNNING", "RUNNING", "DONE"]]
    clock = Clock()
    found, counts = read(api, shop(job()), clock)
    assert found == ROWS
    assert [seconds for seconds in clock.waits if seconds] == [5.0, 5.0, 5.0]
    assert counts["jobs"] == 1 and counts["waited_ms"] == 15_000 and counts["requests"] == 6
    assert ended(api) == [["delete"]]


def test_another_job_is_created_for_one_that_failed(api: ReportApi) -> None:
    api.histories = [["RUNNING", "FATAL"], ["EXPIRED"], ["DONE"]]
    clock = Clock()
    found, counts = read(api, shop(job(retry_after=timedelta(minutes=30))), clock)
    assert found == ROWS and counts["jobs"] == 3
    assert [seconds for seconds in clock.waits if seconds] == [5.0, 1800.0, 1800.0]
    # The server may still have one that it has given up.
    assert ended(api) == [["delete"], ["abort", "delete"], ["delete"]]


def test_a_report_that_fails_each_time_is_an_error_that_a_later_read_may_not_have(api: ReportApi) -> None:
    api.histories = [["FATAL"]] * 3
    with pytest.raises(RequestFailed, match=r"the report of /reports failed 3 times: its status is 'FATAL'") as caught:
        read(api, shop(job()))
    assert not caught.value.permanent and not caught.value.not_visible
    assert len(api.jobs) == 3


def test_a_job_that_never_ends_is_aborted_and_an_error(api: ReportApi) -> None:
    api.histories = [["RUNNING"]] * 2
    clock = Clock()
    with pytest.raises(RequestFailed, match=r"failed 2 times: it was still 'RUNNING' after 0:01:00"):
        read(api, shop(job(tries=2, poll_every=timedelta(seconds=25))), clock)
    assert [seconds for seconds in clock.waits if seconds] == [25.0, 25.0, 10.0] * 2
    assert ended(api) == [["abort", "delete"]] * 2


def test_an_unknown_status_is_named(api: ReportApi) -> None:
    api.histories = [["RUNNING", "ON_HOLD"]]
    with pytest.raises(AnswerError, match="the job's status is 'ON_HOLD', which none of `completed`"):
        read(api, shop(job()))
    assert ended(api) == [["abort", "delete"]]


def test_nothing_to_report_is_no_row_of_a_filtered_list_and_no_proof_of_any_other(api: ReportApi) -> None:
    api.histories = [["NO_DATA"], ["NO_DATA"]]
    since = Incremental(cursor_path="at", start_param="body:since", initial_value="2026-01-01")
    assert read(api, shop(job(), incremental=since))[0] == []
    with pytest.raises(AnswerError, match="is empty by its status or its targets, not by a file"):
        read(api, shop(job()))
    assert not [one for one in api.requests if one.path.startswith("/files")]
    assert ended(api) == [["delete"], ["delete"]]


def test_a_status_that_is_not_there_is_an_error_with_the_keys_that_are(api: ReportApi) -> None:
    with pytest.raises(
        AnswerError, match=r"`status` 'report.state' matched nothing: there is no `state`; .*status, url"
    ):
        read(api, shop(job(status="report.state")))


def test_a_creation_is_tried_again_as_the_error_handler_says(api: ReportApi) -> None:
    api.created = [Reply({"message": "slow"}, 429), Reply({"message": "duplicate of report 7"}, 425)]
    handler = ErrorHandler(response_actions=(ResponseAction(action="rate_limited", status_code=425),))
    found, counts = read(api, shop(job(), error_handler=handler))
    assert found == ROWS and counts["jobs"] == 1 and counts["retries"] == 2


def test_a_refused_creation_is_judged_as_any_request(api: ReportApi) -> None:
    api.created = [Reply({"message": "not yours"}, 403)]
    with pytest.raises(RequestFailed) as caught:
        read(api, shop(job()))
    assert caught.value.not_visible and not api.jobs


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_file_that_is_gone_is_no_missing_parent_and_its_signature_is_in_no_message(
    api: ReportApi, status: int
) -> None:
    api.written = lambda rows: Reply(b"<Error>expired: sIgNaTuRe-0123456789-0</Error>", status)
    with pytest.raises(RequestFailed, match=f"GET file 1 of the report of /reports: answered {status}") as caught:
        read(api, shop(job()))
    assert not caught.value.not_visible and not caught.value.permanent
    assert "sIgNaTuRe" not in str(caught.value) and "***" in str(caught.value)
    assert ended(api) == [["delete"]]


class Elsewhere(HttpServer):
    """Another origin, with files or redirects to them."""

    def __init__(self, api: ReportApi, to: str = "") -> None:
        super().__init__(lambda request: self._file(request))
        self._api = api
        self._to = to

    def _file(self, request: Request) -> Reply:
        if self._to:
            return Reply(b"", 302, {"Location": f"{self._to}{request.target}"})
        return self._api.file(int(request.path.rpartition("/")[2]))


def names_sent(request: Request) -> set[str]:
    return {name.lower() for name in request.headers}


def test_a_file_on_another_server_gets_no_credential(api: ReportApi) -> None:
    with Elsewhere(api) as files:
        api.files = files.url
        assert read(api, shop(job()))[0] == ROWS
    (asked,) = files.requests
    assert not names_sent(asked) & {"authorization", "cookie", "x-account"}
    assert TOKEN not in asked.target and asked.query["X-Signature"].startswith("sIgNaTuRe")
    assert all(names_sent(one) >= {"authorization", "x-account"} for one in api.requests)


def test_a_redirect_to_another_server_loses_the_credential(api: ReportApi) -> None:
    with Elsewhere(api) as files, Elsewhere(api, to=files.url) as between:
        api.files = between.url
        assert read(api, shop(job()))[0] == ROWS
        api.files, usual = "", api.answer
        api.answer = lambda request: (
            Reply(b"", 307, {"Location": f"{files.url}/files/0"}) if "/files/" in request.path else usual(request)
        )
        assert read(api, shop(job()))[0] == ROWS
    assert len(files.requests) == 2 and len(between.requests) == 1
    assert not any("authorization" in names_sent(one) for one in (*files.requests, *between.requests))
    assert all("authorization" in names_sent(one) for one in api.requests)


def test_the_api_gets_no_credential_where_the_declaration_says_so(api: ReportApi) -> None:
    assert read(api, shop(job(download=JobRequest(credential=False))))[0] == ROWS
    (asked,) = [one for one in api.requests if one.path == "/files/0"]
    assert not names_sent(asked) & {"authorization", "x-account"}


DAMAGED = {
    "a gzipped file that ends early": lambda rows: Reply(gzip.compress(as_csv(rows))[:-9]),
    "a gzipped file without its end": lambda rows: Reply(gzip.compress(as_csv(rows))[:-1]),
    "a transfer that ends early": lambda rows: Reply(
        gzip.compress(as_csv(rows))[:-9], headers={"Content-Encoding": "gzip"}
    ),
    "a body that is cut off": lambda rows: Reply(as_csv(rows), break_after=40),
    "a body of unknown length": lambda rows: Reply(as_csv(rows), headers={"Content-Length": None}),
    "a row that is cut off": lambda rows: Reply(as_csv(rows)[:-9]),
    "a page of HTML": lambda rows: Reply(b"<html>signed out</html>"),
    "an encoding that was not asked for": lambda rows: Reply(as_csv(rows), headers={"Content-Encoding": "br"}),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_an_error_and_never_fewer_rows(api: ReportApi, kind: str) -> None:
    api.written = DAMAGED[kind]
    with pytest.raises((AnswerError, RequestFailed), match="file 1 of the report of /reports"):
        read(api, shop(job()))
    assert ended(api) == [["delete"]]


def test_a_file_that_breaks_once_is_read_again_without_a_row_twice(api: ReportApi) -> None:
    replies = [Reply(as_csv(ROWS), break_after=40), Reply(as_csv(ROWS[:3]), 503)]
    api.written = lambda rows: replies.pop(0) if replies else zipped(rows)
    found, counts = read(api, shop(job()))
    assert found == ROWS and counts["retries"] == 2 and counts["jobs"] == 1


def test_a_cancelled_run_aborts_its_job(api: ReportApi) -> None:
    api.histories = [["RUNNING"]]
    platform = shop(job())
    with cancellable() as cancellation:
        settings = Settings(base_url=api.url, token=TOKEN)
        api_client = ApiClient(platform, settings, on_wait=lambda seconds, why: cancellation.cancel())
        with api_client as client, pytest.raises(Cancelled):
            list(read_records(ListRead(client, platform.resource("orders"))))
    assert ended(api) == [["abort", "delete"]]


def test_a_reader_that_stops_early_deletes_the_job(api: ReportApi) -> None:
    platform = shop(job())
    with ApiClient(platform, Settings(base_url=api.url, token=TOKEN)) as client:
        pages = read_records(ListRead(client, platform.resource("orders")))
        next(pages)
        pages.close()  # pyright: ignore[reportAttributeAccessIssue] -- it is a generator
    assert ended(api) == [["delete"]]


def test_an_abort_that_fails_is_said_and_does_not_hide_why(api: ReportApi, caplog: pytest.LogCaptureFixture) -> None:
    api.histories = [["ON_HOLD"]]
    missing = JobRequest(path="/reports/{id}/stop", params=ID, method="POST")
    with pytest.raises(AnswerError, match="ON_HOLD"):
        read(api, shop(job(abort=missing)))
    assert "a job may stay at the server" in caplog.text and TOKEN not in caplog.text


def test_targets_of_a_request_of_their_own_in_several_files(api: ReportApi) -> None:
    locate = JobRequest(path="/reports/{id}/files", params=ID)
    found, counts = read(api, shop(job(locate=locate, targets="parts.*.url")))
    assert found == [*ROWS, *ROWS] and counts["jobs"] == 1


def test_a_poll_at_the_address_that_the_creation_names(api: ReportApi) -> None:
    poll = JobRequest(url=Template("{{ creation_response.headers.location }}"))
    assert read(api, shop(job(poll=poll)))[0] == ROWS


def test_a_download_in_pages(api: ReportApi) -> None:
    def page(request: Request) -> Reply:
        start = int(request.query.get("at", 0))
        more = {"X-Next": str(start + 3)} if start + 3 < len(ROWS) else {}
        return Reply({"rows": ROWS[start : start + 3], "of": request.query["of"]}, headers=more)

    usual = api.answer
    api.answer = lambda request: page(request) if request.path == "/rows/0" else usual(request)
    download = JobRequest(path="/rows/{id}", params={**ID, "of": Template("{{ polling_response.report.status }}")})
    paginator = Cursor(cursor_header="X-Next", cursor_param="at")
    paged = shop(job(download=download, targets=None), Json(), paginator=paginator, data_selector="rows")
    assert read(api, paged)[0] == ROWS


def test_json_lines_and_json_are_read_too(api: ReportApi) -> None:
    api.written = lambda rows: Reply(b"".join(json.dumps(one).encode() + b"\n" for one in rows))
    assert read(api, shop(job(), JsonLines()))[0] == ROWS
    api.written = lambda rows: Reply(gzip.compress(json.dumps(rows).encode()))
    found = shop(job(), Gzip())
    assert read(api, found)[0] == ROWS


def test_a_request_has_the_declared_headers_of_the_creation_and_not_its_credential(api: ReportApi) -> None:
    scope = Template("{{ creation_response.request.headers['x-scope'] }}")
    names = Template("{{ creation_response.request.headers | list | join(',') }}")
    poll = JobRequest(path="/reports/{id}", params=ID, headers={"X-Scope": scope, "X-Names": names})
    found, _ = read(api, shop(job(poll=poll), headers={"X-Scope": "north"}))
    assert found == ROWS
    (polled,) = [one for one in api.requests if one.method == "GET" and one.path.startswith("/reports/")]
    assert (polled.headers["X-Scope"], polled.headers["X-Names"]) == ("north", "x-scope")
