"""Report jobs that could not run are refused when the definitions load, and written ones are read back as they were."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from platform_assets.declarations import (
    Configured,
    Csv,
    Endpoint,
    ErrorHandler,
    Gzip,
    Incremental,
    JobRequest,
    MisspeltError,
    ReportJob,
    Template,
    validate,
)
from platform_assets.platform_files import as_python, as_yaml
from platform_assets.platform_files.reader import parse_platform
from tests.declarations.test_validation import platform, problem, resource

ID = {"id": Template("{{ creation_response.id }}")}
POLL = JobRequest(path="/reports/{id}", params=ID)
JOB = ReportJob(poll=POLL, status="status", completed=("DONE",), running=("RUNNING",), targets="url")


def endpoint(job: ReportJob, **more: Any) -> Endpoint:
    return Endpoint(path="/reports", method="POST", job=job, **more)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"completed": ()}, "`completed` is empty"),
        ({"failed": ("DONE",)}, "the status 'DONE' has two meanings"),
        ({"status": ""}, "`status` '' is no path"),
        ({"targets": ""}, "`targets` '' is no path"),
        ({"targets": None}, "nothing says where the report is"),
        ({"targets": None, "locate": POLL, "download": POLL}, "`locate` asks for targets"),
        ({"poll_every": timedelta(0)}, "`poll_every` must be at least 0.1 s"),
        ({"timeout": timedelta(seconds=1)}, "`timeout` must be at least `poll_every`"),
        ({"tries": 0}, "`tries` must be at least 1"),
        ({"retry_after": timedelta(-1)}, "`retry_after` must not be negative"),
        ({"tries": 1, "retry_after": timedelta(1)}, "`retry_after` does nothing"),
        ({"poll": JobRequest()}, "`poll`: needs a `path`, or the `url`"),
        ({"poll": replace(POLL, url=Template("{{ creation_response.url }}"))}, "`poll`: has one address"),
        ({"poll": JobRequest(path="reports")}, "`poll`: 'reports' must start with `/`"),
        ({"poll": JobRequest(path="/reports/{id}")}, "placeholder `{id}` has no value"),
        ({"poll": JobRequest(path="/reports", params={"id": "{{ creation_response.id }}"})}, "make it a Template"),
        ({"poll": JobRequest(path="/r", params={"t": Template("{{ download_target }}")})}, "`download_target` is not"),
        ({"poll": JobRequest(path="/r", params={"p": Template("{{ parent.shop }}")})}, "`parent.shop` is no value"),
        ({"poll": JobRequest(path="/r", params={"s": Template("{{ interval.start }}")})}, "`incremental` with"),
        ({"poll": JobRequest(path="/r", headers={"X": Template("{{ config.api_token }}")})}, "is a credential"),
        ({"poll": JobRequest(path="/r", base_url="ftp://x")}, "`poll`: `base_url` must be an address"),
        ({"poll": JobRequest(path="/r", data={"a": 1})}, "a form is not sent by"),
        ({"poll": JobRequest(path="/r", method="POST", json={}, data={})}, "has one body"),
        ({"delete": JobRequest(path="/r", error_handler=ErrorHandler(max_retries=-1))}, "`delete`: `max_retries`"),
        (
            {"abort": JobRequest(url=Template("{{ creation_response.url }}"), params={"a": 1})},
            "`abort`: `params` do not stand beside a `url`",
        ),
    ],
)
def test_a_job_that_cannot_run_is_named(changes: dict[str, Any], text: str) -> None:
    found = problem(resource(endpoint=endpoint(replace(JOB, **changes))))
    assert found.key == "job" and text in str(found)


def test_a_report_is_not_read_in_the_parts_of_a_list() -> None:
    incremental = Incremental(cursor_path="at", start_param="since", row_order="asc")
    columns = {"id": "bigint", "at": "timestamp"}
    found = problem(resource(endpoint=endpoint(JOB, incremental=incremental), columns=columns))
    assert found.key == "incremental" and "a report is there as a whole" in str(found)


def test_a_misspelt_key_is_named_with_the_nearest_one() -> None:
    with pytest.raises(MisspeltError, match="there is no such key; did you mean `completed`"):
        ReportJob(poll=POLL, status="status", complete=("DONE",))  # pyright: ignore[reportCallIssue] -- on purpose


def test_a_written_job_is_read_back_as_it_was() -> None:
    job = replace(
        JOB,
        locate=JobRequest(path="/files", method="POST", json={"ids": [Template("{{ polling_response.id }}")], "n": 1}),
        download=JobRequest(url=Template("{{ download_target }}"), headers={"X": Configured("shop")}, credential=False),
        delete=replace(POLL, method="DELETE", error_handler=ErrorHandler(max_retries=1)),
        poll_every=timedelta(seconds=30),
        timeout=timedelta(hours=3),
        retry_after=timedelta(minutes=5),
        skipped=("NO", "3"),
    )
    given = platform(resource(endpoint=endpoint(job, response_format=Gzip(of=Csv()))))
    given = replace(given, client=replace(given.client, max_jobs=2))
    validate([given])
    assert parse_platform(as_yaml(given), "shop.yaml") == given
    names: dict[str, Any] = {}
    exec(as_python(given), names)
    assert names["PLATFORM"] == given
