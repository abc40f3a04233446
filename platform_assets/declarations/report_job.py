"""Reports that a server makes on request: a job is created, asked for until it is done, and its files are read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from platform_assets.declarations.configured import Configured
from platform_assets.declarations.error_handler import ErrorHandler
from platform_assets.declarations.strict import strict
from platform_assets.declarations.template import Template

# A value of a job's request; what differs between parents and windows is in a template: `{{ parent.org }}`.
JobValue = str | int | tuple[str, ...] | Configured | Template


@strict
@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A request about a job.

    Its templates see what those of the endpoint see, and the answers of the job so far: `creation_response`,
    `polling_response` (of the last poll), and in `download` `download_target`. Each is the body, with what it has
    not of its own: the response's `headers`, and the request's declared ones as `request.headers`, in small letters.

    Args:
        path: as `Endpoint.path`; `{name}` is a value from `params`: `/reports/{id}` with
            `params={"id": Template("{{ creation_response.id }}")}`. None only where there is a `url`.
        url: the whole address, as an answer has it, in place of a path: `{{ polling_response.location }}`. Only that of
            a file may be on another server, which gets no credential.
        base_url: as `Endpoint.base_url`; None takes the endpoint's.
        params, json, data, headers: as those of an endpoint, without parents and fan-outs: `{{ parent.org }}` is what
            the job was created for, and so is the value of a setting that has several.
        method: how it is sent.
        error_handler: what its responses mean, instead of the endpoint's.
        credential: whether the API's own server gets the credential and the client's headers.
    """

    path: str | None = None
    url: Template | None = None
    base_url: str | Template | None = None
    params: Mapping[str, JobValue] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    data: Mapping[str, JobValue] | None = None
    headers: Mapping[str, str | Configured | Template] = field(default_factory=dict)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    error_handler: ErrorHandler | None = None
    credential: bool = True


@strict
@dataclass(frozen=True, kw_only=True)
class ReportJob:
    """What is done from the request that creates a job to the rows of its report.

    The endpoint's own request creates the job, once for each parent, fan-out and window of time. Its `data_selector`
    (`""` without one), `response_format` and `paginator` (`SinglePage` without one) are those of the report's files;
    what creates the job, and what tells about it, is JSON.

    Args:
        poll: tells how far the job is. Sent at once, and then every `poll_every`.
        status: dotted path in the answer to `poll`. Numbers and bools are compared as Python writes them: `3`, `True`.
        completed: statuses of a job whose report is there.
        running: statuses of one that is not done. Any status that is not named is an error.
        failed: statuses of one that went wrong: another job is created, up to `tries`.
        timed_out: statuses of one that the server has given up; as `failed`.
        skipped: statuses that say that there is nothing to report: no rows. Of a list that is read in full it proves
            nothing: it counts as an ignored response, and no row as removed. The same holds where there are no targets.
        targets: dotted path to the files' addresses, or names for `download`: a text, or a list of them. None for one
            download that needs none. `*` is every item: `files.*.url`.
        locate: the request in whose answer the targets are, if that to `poll` has none.
        download: how a file is asked for; None for a GET of the target, which is its address.
        abort: sent for a job that is left unfinished: timed out, cancelled, or failed for another reason.
        delete: sent for every job that is over, once its rows were read.
        poll_every: between two polls.
        timeout: how long a job may take, from its creation on.
        tries: jobs that are created for one report, at most.
        retry_after: the wait before another job is created after a failed one.
    """

    poll: JobRequest
    status: str
    completed: tuple[str, ...]
    running: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    timed_out: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    targets: str | None = None
    locate: JobRequest | None = None
    download: JobRequest | None = None
    abort: JobRequest | None = None
    delete: JobRequest | None = None
    poll_every: timedelta = timedelta(seconds=5)
    timeout: timedelta = timedelta(hours=1)
    tries: int = 3
    retry_after: timedelta = timedelta(0)

    @property
    def requests(self) -> dict[str, JobRequest]:
        """Key -> request, of those that are declared, in the order in which they are sent."""
        keys = ("poll", "locate", "download", "abort", "delete")
        return {key: one for key in keys if (one := getattr(self, key)) is not None}

    @property
    def statuses(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Key and statuses of everything that a job may be."""
        for key in ("completed", "running", "failed", "timed_out", "skipped"):
            yield key, getattr(self, key)
