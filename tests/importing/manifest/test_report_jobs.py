"""What each part of an `AsyncRetriever` becomes, and what of it is not carried."""

import copy
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from platform_assets.declarations import (
    Configured,
    Csv,
    Endpoint,
    ErrorHandler,
    Gzip,
    JobRequest,
    Platform,
    ReportJob,
    Template,
)
from platform_assets.importing.findings import Findings, Severity, UnreadableDocument
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from tests.importing.manifest.cases import CONFIG, SPEC
from tests.importing.manifest.reports import REPORTS

Json = dict[str, Any]
OTHER = {"type": "BearerAuthenticator", "api_token": "{{ config['user'] }}"}
OWN = {"type": "CustomRecordExtractor", "class_name": "a.B"}


def manifest(name: str = "a report in gzipped CSV", **retriever: Any) -> Json:
    """A manifest of the streams of a case, with other parts in the last one's retriever."""
    streams = copy.deepcopy(REPORTS[name])
    streams[-1]["retriever"].update(retriever)
    found = {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["sales"]},
        "streams": streams,
        "spec": SPEC,
    }
    return json.loads(json.dumps(found).replace("{url}", "https://api.shop.example"))


def imported(given: Json) -> tuple[Platform, Findings]:
    findings = Findings()
    read = read_manifest(json.dumps(given), Path("manifest.json"), findings)
    return import_manifest(read, "shop", findings).platform, findings


def endpoint(given: Json) -> Endpoint:
    return imported(given)[0].resource("sales").endpoint


def job(given: Json) -> ReportJob:
    found = endpoint(given).job
    assert found is not None
    return found


def asked(path: str | None = "x", **more: Any) -> Json:
    found = {"type": "HttpRequester", "url_base": "https://api.shop.example/v1", "path": path, "http_method": "GET"}
    return {**found, "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}, **more}


def test_a_whole_job() -> None:
    found = endpoint(manifest(polling_job_timeout=30, failed_retry_wait_time_in_seconds="60"))
    assert (found.method, found.path, found.data_selector, found.paginator) == ("POST", "/reports", None, None)
    assert found.response_format == Gzip(of=Csv())
    assert found.job == ReportJob(
        poll=JobRequest(path="/reports/{+part_1}", params={"part_1": Template("{{ creation_response['id'] }}")}),
        status="state",
        completed=("DONE",),
        running=("IN_PROGRESS",),
        failed=("FATAL",),
        timed_out=("EXPIRED",),
        skipped=("NO_DATA",),
        targets="urls",
        download=JobRequest(credential=False),
        timeout=timedelta(minutes=30),
        retry_after=timedelta(minutes=1),
    )


def test_jobs_at_once_are_those_of_the_manifest_and_one_where_it_says_nothing() -> None:
    assert imported(manifest())[0].client.max_jobs == 1
    given = {**manifest(), "max_concurrent_async_job_count": "{{ config.get('jobs', 7) }}"}
    assert imported(given)[0].client.max_jobs == 7


def test_a_download_with_the_credential_of_the_creation_keeps_it_for_the_api() -> None:
    download = asked(path=None, url_base="{{ download_target }}")
    assert job(manifest(download_requester=download)).download is None


def test_the_address_that_an_answer_has() -> None:
    poll = asked(path=None, url_base="{{ creation_response['headers']['Location'] }}")
    assert job(manifest(polling_requester=poll)).poll == JobRequest(
        url=Template("{{ creation_response['headers']['location'] }}")
    )
    download = {"type": "HttpRequester", "http_method": "GET", "url_base": "https://f.example/{{ download_target }}"}
    assert job(manifest(download_requester=download)).download == JobRequest(
        path="/{+part_1}",
        base_url="https://f.example",
        params={"part_1": Template("{{ download_target }}")},
        credential=False,
    )


def test_values_of_the_partition_and_of_settings_are_those_of_the_creation() -> None:
    poll = asked(
        "reports/{{ creation_response.id }}",
        request_headers={"X-Shop": "{{ stream_partition['shop'] }}", "X-Part": "{{ config['part'] }}"},
        request_parameters={"since": "{{ stream_interval['start_time'] }}"},
    )
    given = manifest("reports of each shop in windows", polling_requester=poll)
    found = endpoint(given)
    assert found.job is not None
    assert found.job.poll.headers == {"X-Shop": Template("{{ parent.shop }}"), "X-Part": Configured("part")}
    assert found.job.poll.params["since"] == Template("{{ interval.start }}")
    assert found.parents and found.incremental is not None and found.incremental.start_param == "body:from"


def test_handlers_of_errors_are_those_of_each_request() -> None:
    handler = {"type": "DefaultErrorHandler", "max_retries": 2}
    creation = asked("reports", http_method="POST", request_body_json={"a": 1}, error_handler=handler)
    found = endpoint(manifest(creation_requester=creation))
    assert found.job is not None and found.job.poll.error_handler == ErrorHandler()
    found = endpoint(manifest(creation_requester=creation, polling_requester=asked(error_handler=handler)))
    assert found.job is not None and found.job.poll.error_handler is None


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"decoder": {"type": "XmlDecoder"}}, "what tells about the job is not JSON"),
        ({"polling_requester": None}, "`polling_requester` or `download_requester` is not there"),
        ({"polling_requester": {"type": "CustomRequester", "class_name": "a.B"}}, "polling_requester: `a.B` is Python"),
        (
            {"polling_requester": asked("reports/{{ creation_response.request.url }}")},
            "polling_requester: `path` has more of the `request` of an answer than its declared headers",
        ),
        (
            {"polling_requester": asked(authenticator=OTHER)},
            "polling_requester: it has another credential than the job's creation",
        ),
        (
            {"abort_requester": asked(request_headers={"X-Key": "{{ config['key'] }}"})},
            "a request about the job has another credential among its values",
        ),
        ({"status_extractor": OWN}, "the extractor `a.B` is Python"),
        ({"status_extractor": {"type": "CombinedExtractor"}}, "the extractor `CombinedExtractor` is not"),
        (
            {"download_extractor": OWN},
            "the extractor `a.B` is Python",
        ),
        ({"download_decoder": {"type": "CustomDecoder", "class_name": "a.B"}}, "the decoder `a.B` is Python"),
        ({"status_mapping": {"completed": ["{{ config['done'] }}"]}}, "`status_mapping.completed` is computed"),
        ({"status_mapping": {"running": ["A"]}}, "`completed` is empty"),
        ({"status_mapping": {"completed": ["A"], "failed": ["A"]}}, "the status 'A' has two meanings"),
        (
            {"partition_router": {"type": "GroupingPartitionRouter", "group_size": 2}},
            "a group has one value of each parent, which templates send",
        ),
    ],
)
def test_what_cannot_be_carried_is_said(parts: Json, why: str) -> None:
    given = manifest(**parts)
    # Another stream, so that something is left of the manifest.
    others = manifest("reports of each shop")["streams"][:1]
    given["streams"] = [*given["streams"], *others]
    platform, findings = imported(given)
    assert [one.name for one in platform.resources] == ["shops"]
    said = [one.why for one in findings.all() if one.severity is Severity.NOT_CARRIED and one.resource == "sales"]
    assert any(why in one for one in said), said


def test_a_manifest_of_nothing_else_is_refused_with_the_reason() -> None:
    with pytest.raises(UnreadableDocument, match="what tells about the job is not JSON"):
        imported(manifest(decoder={"type": "XmlDecoder"}))


def test_a_timeout_that_a_setting_says_is_its_default() -> None:
    spec = copy.deepcopy(SPEC)
    spec["connection_specification"]["properties"]["minutes"] = {"type": "integer", "default": 45}
    platform, findings = imported({**manifest(polling_job_timeout="{{ config['minutes'] }}"), "spec": spec})
    found = platform.resource("sales").endpoint.job
    assert found is not None and found.timeout == timedelta(minutes=45)
    assert any(one.what == "polling_job_timeout" for one in findings.all())
    assert "minutes" not in CONFIG
