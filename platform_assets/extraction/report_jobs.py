"""Reads one report that the server makes on request: creates its job, waits for it, and reads its files.

    create -> poll ... poll -> (locate) -> download each file -> rows
              |                                          -> delete
              failed, timed out: abort, delete, and another job, up to `tries`

Nothing of a report counts before its last file was read: whoever reads rows accepts them at the end. So a job that
fails, a file that is cut off, or a run that is killed in between costs another job, and never a row or a cursor.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from urllib.parse import urljoin

from platform_assets.declarations import Configured, Endpoint, JobRequest, Paginator, ReportJob, SinglePage
from platform_assets.declarations.job_requests import ADDRESS, about_job, as_endpoint
from platform_assets.extraction.job_answers import Meaning, as_seen, status_in, targets_in
from platform_assets.extraction.queries import Query
from platform_assets.extraction.request_templates import RequestTemplates
from platform_assets.http.answer import Answer
from platform_assets.http.body_files import batches_in, is_read_in_parts
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, LimitExhausted, RequestFailed, ResponseIgnored
from platform_assets.http.outgoing import Outgoing, outgoing
from platform_assets.http.pagination.grids import Params
from platform_assets.http.pagination.identity import Identify
from platform_assets.http.pagination.opaque_cursors import SinglePagePager
from platform_assets.http.pagination.pager import Pager, pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.urls import ParamValue, fill_path

log = logging.getLogger(__name__)

# Why a read waits between two polls.
FOR_THE_REPORT = "for a report"


@dataclass(frozen=True)
class RowFinder:
    """How rows are found in the bodies of a list's pages, or of a report's files.

    Args:
        paginator: of the list, or of a file.
        select: finds the items in a body.
        identify: hashes items.
    """

    paginator: Paginator
    select: Callable[[Any], list[Any]]
    identify: Identify


@dataclass(frozen=True)
class _Job:
    """A job that was created.

    Attributes:
        answers: by the names that templates have for them.
        targets: what is downloaded.
    """

    answers: Mapping[str, Any]
    targets: tuple[str, ...] = ()


class _Failed(Exception):
    """The job brought no report, and another one may."""


def report_rows(
    client: ApiClient, query: Query, rows: RowFinder, counts: Counter[str]
) -> Iterator[tuple[Pager, list[Any]]]:
    """Yield the items of a report, some thousand at a time, with a walk whose end is certain.

    Args:
        client: sends the requests.
        query: what creates the job; its endpoint has one.
        rows: how they are found.
        counts: incremented by `jobs`, requests and waits.

    Raises:
        RequestFailed: no job has brought the report, or it cannot be downloaded; another read may.
        AnswerError: an answer or a file is not what was declared.
        ResponseIgnored: there is nothing to report, of a list that is read in full: no proof that rows are gone.
        Cancelled: the run was cancelled. The job was aborted, if the declaration says how.
    """
    report = _Report(client, query, counts)
    incremental = query.endpoint.incremental
    is_filtered = incremental is not None and incremental.server_side
    walk, is_empty = SinglePagePager(), True
    with report.created() as job:
        if not job.targets and not is_filtered:
            problem = f"the report of {query.endpoint.path} is empty by its status or its targets, not by a file"
            raise ResponseIgnored(f"{client.platform.name}: {problem}: no row counts as removed")
        for number, target in enumerate(job.targets, 1):
            for items in report.rows_of(job, number, target, rows):
                is_empty = False
                yield walk, items
        if is_empty:
            yield walk, []


class _Report:
    """One query's report."""

    def __init__(self, client: ApiClient, query: Query, counts: Counter[str]) -> None:
        declared = query.endpoint.job
        assert declared is not None
        self._job: ReportJob = declared
        self._client = client
        self._query = query
        self._counts = counts
        self._handler = client.platform.error_handler_of(query.endpoint)
        self._path = query.endpoint.path

    @contextmanager
    def created(self) -> Iterator[_Job]:
        """A job that is completed, for as long as its files are read."""
        job = self._completed()
        try:
            yield job
        finally:
            self._end("delete", job.answers)

    def _completed(self) -> _Job:
        """The first of the jobs that is. Raises RequestFailed if none of them will be."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._client.job_places.place():
                    return self._attempt()
            except _Failed as failure:
                why = str(failure)
            if attempt == self._job.tries:
                times = "once" if attempt == 1 else f"{attempt} times"
                raise RequestFailed(f"{self._client.platform.name}: the report of {self._path} failed {times}: {why}")
            if self._job.retry_after:
                self._client.wait(self._job.retry_after.total_seconds(), f"for another report: {why}", self._counts)

    def _attempt(self) -> _Job:
        """Create a job and wait for it. Raises _Failed if it ends without a report."""
        creating = about_job(self._query.endpoint, self._handler)
        asked = self._query.request({})
        answer = self._client.send(asked, self._counts, creating)
        self._counts["jobs"] += 1
        answers: dict[str, Any] = {"creation_response": as_seen(answer, asked)}
        is_over = False
        try:
            meaning, status, answer = self._waited_for(answers)
            is_over = meaning in ("completed", "failed", "skipped")
            if meaning == "completed":
                return _Job(answers, self._targets(answers, answer))
            if meaning == "skipped":
                return _Job(answers)
            if meaning == "running":
                raise _Failed(f"it was still {status!r} after {self._job.timeout}")
            raise _Failed(f"its status is {status!r}")
        except BaseException:
            if not is_over:
                self._end("abort", answers)
            self._end("delete", answers)
            raise

    def _waited_for(self, answers: dict[str, Any]) -> tuple[Meaning, str, Answer]:
        """What the last poll says, and its answer; `running` if the job takes too long."""
        clock, every, most = self._client.clock, self._job.poll_every.total_seconds(), self._job.timeout.total_seconds()
        began, waited = clock(), 0.0
        while True:
            asked, answer = self._asked("poll", self._job.poll, answers)
            answers["polling_response"] = as_seen(answer, asked)
            meaning, status = status_in(self._job, answer)
            left = most - max(clock() - began, waited)
            if meaning != "running" or left <= 0:
                return meaning, status, answer
            seconds = min(every, left)
            self._client.wait(seconds, FOR_THE_REPORT, self._counts)
            waited += seconds

    def _targets(self, answers: Mapping[str, Any], polled: Answer) -> tuple[str, ...]:
        locate = self._job.locate
        return tuple(targets_in(self._job, polled if locate is None else self._asked("locate", locate, answers)[1]))

    def rows_of(self, job: _Job, number: int, target: str, rows: RowFinder) -> Iterator[list[Any]]:
        """The items of one file."""
        request, written_in = self._job.download or JobRequest(), self._query.endpoint.response_format
        endpoint = replace(as_endpoint(request, self._query.endpoint), response_format=written_in)
        values = self._filled(endpoint, {**job.answers, "download_target": target})
        label = f"file {number} of the report of {self._path}"

        def send(params: Mapping[str, ParamValue], into: BinaryIO | None = None) -> Answer:
            sent = self._of_file(request, self._outgoing(request, endpoint, params, label), target)
            with _after_creation():
                return self._client.send(sent, self._counts, endpoint, into=into)

        if written_in is None or not is_read_in_parts(written_in) or not isinstance(rows.paginator, SinglePage):
            walk = pager(rows.paginator, self._client.settings.page_size)
            yield from pages(send, walk, values, rows.select, rows.identify)
            return
        with TemporaryFile() as file:
            answer = send(values, file)
            try:
                for items in batches_in(file, written_in, answer.headers):
                    yield rows.select(items)
            except ValueError as error:
                raise AnswerError(f"{label}: not {type(written_in).__name__}: {error}") from None

    def _asked(self, key: str, request: JobRequest, answers: Mapping[str, Any]) -> tuple[Outgoing, Answer]:
        """A request about the job, and the answer to it."""
        sent, endpoint = self._request(key, request, answers)
        with _after_creation():
            return sent, self._client.send(sent, self._counts, endpoint)

    def _request(self, key: str, request: JobRequest, answers: Mapping[str, Any]) -> tuple[Outgoing, Endpoint]:
        endpoint = as_endpoint(request, self._query.endpoint)
        endpoint = about_job(endpoint, self._client.platform.error_handler_of(endpoint))
        values = self._filled(endpoint, answers)
        return self._outgoing(request, endpoint, values, f"{key} of the report of {self._path}"), endpoint

    def _filled(self, endpoint: Endpoint, answers: Mapping[str, Any]) -> Params:
        """Place -> value of a request's values, those that are sent and those that only templates see."""
        templates = RequestTemplates(endpoint, self._client.settings.configured, is_of_job=True)
        found = templates.fill(self._query.values, self._query.interval, answers)
        given = {name: self._given(one) for name, one in endpoint.values.items() if name not in found}
        return {**given, **{name: one for name, one in found.items() if one is not None}}

    def _given(self, value: Any) -> Any:
        """A value without its declaration: of a setting with several values the one that the job was created for."""
        if not isinstance(value, Configured):
            return value
        places = (place for place, one in self._query.endpoint.values.items() if one == value)
        of_job = next((self._query.values[place] for place in places if place in self._query.values), None)
        return self._client.settings.configured[value.setting][0] if of_job is None else of_job

    def _outgoing(
        self, request: JobRequest, endpoint: Endpoint, values: Mapping[str, ParamValue], label: str
    ) -> Outgoing:
        path = fill_path(endpoint.path, {name: values[name] for name in endpoint.placeholders})
        sent = {name: value for name, value in values.items() if name not in endpoint.placeholders}
        found = replace(
            outgoing(endpoint, path, sent), method=request.method, credential=request.credential, label=label
        )
        if request.url is None or found.link is not None:
            return found
        if ADDRESS not in values:
            raise AnswerError(f"{label}: `url` comes to nothing: the answer has no address")
        return replace(found, link=str(values[ADDRESS]))

    def _of_file(self, request: JobRequest, found: Outgoing, target: str) -> Outgoing:
        link = target if found.link is None and request.path is None else found.link
        if link is not None and link.startswith("/"):
            link = urljoin(self._client.settings.base_url, link)
        return replace(found, link=link, is_file=True)

    def _end(self, key: str, answers: Mapping[str, Any]) -> None:
        """Send what ends a job at the server, if it is declared. It must not hide how the read has ended."""
        request: JobRequest | None = getattr(self._job, key)
        if request is None:
            return
        try:
            sent, endpoint = self._request(key, request, answers)
            self._client.send_last(sent, endpoint)
        except (AnswerError, RequestFailed) as error:
            self._counts["jobs_left"] += 1
            log.warning("%s: a job may stay at the server: %s", self._client.platform.name, error)


@contextmanager
def _after_creation() -> Iterator[None]:
    """A refusal after a job was created says nothing about the parent that it was created for."""
    try:
        yield
    except (LimitExhausted, ResponseIgnored):
        raise
    except RequestFailed as failure:
        raise RequestFailed(str(failure), unreachable=failure.unreachable) from None
