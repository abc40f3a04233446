"""Checks of report jobs: every status has one meaning, every wait ends, and requests have what they name."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from platform_assets.declarations.addresses import address_problem
from platform_assets.declarations.configured import Configured
from platform_assets.declarations.handler_problems import handler_problems
from platform_assets.declarations.job_requests import as_endpoint
from platform_assets.declarations.places import seen_as
from platform_assets.declarations.report_job import JobRequest, ReportJob
from platform_assets.declarations.request_problems import is_unmarked_template, value_problem
from platform_assets.declarations.resource import Endpoint
from platform_assets.declarations.selectors import selector_parts
from platform_assets.declarations.template import Template

# (key, what is wrong and how to fix it)
Found = tuple[str, str]

# Keys of a list that say how it is read in part: a report is there as a whole.
_PARTS = ("row_order", "newest_first", "too_deep")


def job_problems(endpoint: Endpoint, secrets: tuple[str, ...]) -> Iterator[Found]:
    """What is wrong with the job of one of a resource's lists, if it has one.

    Args:
        secrets: settings with the client's credential, which no template may name.
    """
    job = endpoint.job
    if job is None:
        return
    for problem in (*_statuses(job), *_bounds(job), *_files(job)):
        yield "job", problem
    for key in _PARTS:
        if endpoint.incremental is not None and getattr(endpoint.incremental, key):
            yield "incremental", f"`{key}` is for a list: a report is there as a whole; `step` reads it in windows"
    if endpoint.portions is not None:
        yield "portions", "are for a list: a report has all fields of its records"
    for key, request in job.requests.items():
        for problem in _request(key, request, endpoint, secrets):
            yield "job", f"`{key}`: {problem}"


def _statuses(job: ReportJob) -> Iterator[str]:
    if not job.completed:
        yield "`completed` is empty: no report would ever be there"
    named = Counter(status for _, statuses in job.statuses for status in statuses)
    for status, count in named.items():
        if count > 1:
            yield f"the status {status!r} has two meanings"
    if not selector_parts(job.status):
        yield f"`status` {job.status!r} is no path"


def _bounds(job: ReportJob) -> Iterator[str]:
    if job.poll_every < timedelta(milliseconds=100):
        yield "`poll_every` must be at least 0.1 s"
    if job.timeout < job.poll_every:
        yield "`timeout` must be at least `poll_every`"
    if job.tries < 1:
        yield "`tries` must be at least 1"
    if job.retry_after < timedelta(0):
        yield "`retry_after` must not be negative"
    if job.retry_after and job.tries == 1:
        yield "`retry_after` does nothing with `tries=1`"


def _files(job: ReportJob) -> Iterator[str]:
    if job.targets is not None and not selector_parts(job.targets):
        yield f"`targets` {job.targets!r} is no path"
    if job.locate is not None and job.targets is None:
        yield "`locate` asks for targets: `targets` says where its answer has them"
    has_address = job.download is not None and (job.download.path is not None or job.download.url is not None)
    if job.targets is None and not has_address:
        yield "nothing says where the report is: `targets`, or a `download` with a `path` or `url`"


def _request(key: str, request: JobRequest, endpoint: Endpoint, secrets: tuple[str, ...]) -> Iterator[str]:
    if request.path is not None and request.url is not None:
        yield "has one address: leave out `path` or `url`"
    if request.path is None and request.url is None and key != "download":
        yield "needs a `path`, or the `url` that an answer has"
    if request.path is not None and not request.path.startswith("/"):
        yield f"{request.path!r} must start with `/`"
    if request.url is not None and request.params and key != "download":
        yield "`params` do not stand beside a `url`"
    if request.json is not None and request.data is not None:
        yield "a request has one body: leave out `json` or `data`"
    if request.data is not None and request.method == "GET":
        yield 'a form is not sent by `method="GET"`'
    problem = address_problem(request.base_url, secrets)
    if problem is not None:
        yield f"`base_url` {problem}"
    for _, problem in handler_problems(request.error_handler, secrets) if request.error_handler else ():
        yield problem
    yield from _values(key, request, endpoint, secrets)


def _values(key: str, request: JobRequest, endpoint: Endpoint, secrets: tuple[str, ...]) -> Iterator[str]:
    # Jinja2 is imported only where a template is used.
    own = as_endpoint(request, endpoint)
    for name in own.placeholders:
        if not isinstance(own.params.get(name), str | int | Configured | Template):
            yield f"placeholder `{{{name}}}` has no value: add it to `params`"
    for place, value in {**own.values, **own.params}.items():
        if isinstance(value, str) and is_unmarked_template(value):
            yield f"`{place}` is a text, which is sent as it stands: make it a Template(...)"
    if not own.templates:
        return
    from platform_assets.declarations.template_problems import ANSWERS, CLOCKS, FUNCTIONS, REQUEST, problem_of

    names = REQUEST | FUNCTIONS | CLOCKS | (ANSWERS if key == "download" else ANSWERS - {"download_target"})
    known = frozenset(seen_as(one) for one in endpoint.values)
    for place, template in own.templates.items():
        problem = problem_of(template, names, secrets) or value_problem(own, place, endpoint.incremental, known)
        if problem is not None:
            yield f"`{place}`: {problem}"
