"""`AsyncRetriever`: a report that the server makes on request, as a `ReportJob`.

What creates the job, and what its files are written in, stands where a `SimpleRetriever` has its requester and its
decoder, and is converted as those are (`as_simple`). Here is what lies between.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal, cast

from platform_assets.declarations import Auth, ErrorHandler, FanOut, JobRequest, NoAuth, ReportJob, Resolve, Template
from platform_assets.declarations.template_problems import ANSWERS, CLOCKS, FUNCTIONS, REQUEST
from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.decoding import convert_decoder
from platform_assets.importing.manifest.failures import convert_errors
from platform_assets.importing.manifest.partitions import Partitions
from platform_assets.importing.manifest.placing import mapping_of
from platform_assets.importing.manifest.records import convert_selector
from platform_assets.importing.manifest.requesting import Request, address_of, convert_request
from platform_assets.importing.manifest.settings import ConfigSettings
from platform_assets.importing.manifest.texts import Bound, NotCarried, Texts, Value, is_template, setting_in

KIND = "AsyncRetriever"

_NAMES = REQUEST | FUNCTIONS | CLOCKS | ANSWERS
_ANSWER = re.compile(r"\b(?:creation_response|polling_response|download_target)\b")
_TARGET = re.compile(r"\{\{\s*download_target\s*\}\}")
_KEY_OF = r"(?:\.\s*{0}\b|\[\s*['\"]{0}['\"]\s*\])\s*"
_ITEM = r"(?:\.\s*get\(\s*|\[\s*|\.)\s*['\"]?"
_SENT = rf"_response\s*{_KEY_OF.format('request')}"
_HEADERS = re.compile(rf"(_response\s*(?:{_KEY_OF.format('request')})?{_KEY_OF.format('headers')}{_ITEM})([\w-]+)")
_SENT_HEADER = re.compile(rf"\bcreation{_SENT}{_KEY_OF.format('headers')}{_ITEM}([\w-]+)")
_REQUEST = re.compile(rf"{_SENT}|_response\s*\.\s*get\(\s*['\"]request['\"]")
# Key of a job -> the requester that it is made of.
_REQUESTERS = {
    "poll": "polling_requester",
    "locate": "download_target_requester",
    "download": "download_requester",
    "abort": "abort_requester",
    "delete": "delete_requester",
}
_STATUSES = {
    "completed": "completed",
    "running": "running",
    "failed": "failed",
    "timed_out": "timeout",
    "skipped": "skipped",
}
_TIMEOUT = 60
_TRIES = 3
# What the CDK's reader of large CSVs takes for no value.
_PANDAS_TEXT = "#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null"
_NO_VALUES = ("", "#N/A N/A", *_PANDAS_TEXT.split())


@dataclass(frozen=True)
class Converted:
    """A job, and what the download has that its list does not.

    Attributes:
        job: without what its creation is.
        download: the request of a file, with the place of its next page.
        credentials: those that stand among the values of its requests.
    """

    job: ReportJob
    download: Request
    credentials: tuple[Auth, ...] = ()


def as_simple(retriever: Mapping[str, Any]) -> Mapping[str, Any]:
    """A retriever whose requester creates the job, and whose decoder and extractor read its files."""
    selector = retriever.get("record_selector")
    extractor = retriever.get("download_extractor") or {"type": "DpathExtractor", "field_path": []}
    decoder = retriever.get("download_decoder")
    if isinstance(extractor, Mapping) and extractor.get("type") == "ResponseToFileExtractor":
        nulls = [""] if extractor.get("preserve_na_values") is True else list(_NO_VALUES)
        decoder = {"type": "GzipDecoder", "decoder": {"type": "CsvDecoder", "set_values_to_none": nulls}}
        extractor = {"type": "DpathExtractor", "field_path": []}
    return {
        "type": "SimpleRetriever",
        "requester": retriever.get("creation_requester"),
        "record_selector": {**(selector if isinstance(selector, Mapping) else {}), "extractor": extractor},
        "decoder": decoder,
        "paginator": retriever.get("download_paginator"),
        "partition_router": retriever.get("partition_router"),
    }


def convert_job(retriever: Mapping[str, Any], texts: Texts, findings: Findings, name: str) -> Converted:
    """The job of an `AsyncRetriever`. Raises NotCarried.

    Args:
        texts: of the stream; it learns which values and bounds the job's requests use.
    """
    if convert_decoder(retriever.get("decoder")) is not None:
        raise NotCarried("what tells about the job is not JSON, which is not in our vocabulary")
    creation = retriever.get("creation_requester")
    jobs = _Requests(creation if isinstance(creation, Mapping) else {}, texts, findings, name)
    found: dict[str, JobRequest] = {}
    download = None
    for key, what in _REQUESTERS.items():
        requester = retriever.get(what)
        if isinstance(requester, Mapping):
            found[key], request = jobs.converted(requester, what, is_file=key == "download")
            download = request if key == "download" else download
    if "poll" not in found or download is None:
        raise NotCarried("`polling_requester` or `download_requester` is not there")
    statuses = _statuses(retriever.get("status_mapping"))
    targets = retriever.get("download_target_extractor")
    wait = _number(retriever.get("failed_retry_wait_time_in_seconds"), 0, "failed_retry_wait_time_in_seconds", jobs)
    minutes = _number(retriever.get("polling_job_timeout"), _TIMEOUT, "polling_job_timeout", jobs)
    job = ReportJob(
        status=convert_selector({"extractor": retriever.get("status_extractor")}),
        targets=convert_selector({"extractor": targets}) if targets else None,
        timeout=timedelta(minutes=minutes),
        tries=_TRIES,
        retry_after=timedelta(seconds=wait),
        **found,  # pyright: ignore[reportArgumentType] -- keys of requests
        **statuses,  # pyright: ignore[reportArgumentType] -- keys of statuses
    )
    if job.download == JobRequest():
        job = replace(job, download=None)
    return Converted(job, download, tuple(jobs.credentials))


def refuse_other_credentials(converted: Converted, created_with: Auth | None) -> None:
    """Raise NotCarried if the job's requests have other credentials among their values than its creation."""
    if any(one not in (created_with, NoAuth()) for one in converted.credentials):
        raise NotCarried("a request about the job has another credential among its values than the job's creation")


class _JobTexts(Texts):
    """Texts of a job's requests: everything that is not written out is a template, which sees the job's answers."""

    def __init__(self, of_stream: Texts, creation: Mapping[str, Any]) -> None:
        super().__init__(
            of_stream.settings,
            of_stream.partition,
            of_stream.extra,
            of_stream.start,
            of_stream.end,
            of_stream.cursor,
        )
        self._of_stream = of_stream
        # Headers by which a request about the job may name what it was created with.
        self._created_with = {name.lower() for name in mapping_of(creation.get("request_headers"), "request_headers")}

    def value(self, given: Any, names: frozenset[str], what: str) -> Value:
        found = super().value(given, names, what)
        if isinstance(found, Bound):
            return self.template("{{ interval." + found.which + " }}", names, what)
        # What the job was created for is no value of its own here.
        is_partition = isinstance(found, Resolve | FanOut)
        return self.template(self.rewritten(given), names, what) if is_partition else found

    def _own(self, name: str) -> str:
        # The CDK has answers in the slice of a job too.
        return name if name in ANSWERS else super()._own(name)

    def template(self, text: str, names: frozenset[str], what: str) -> Template:
        sent = _SENT_HEADER.findall(text)
        if len(_REQUEST.findall(text)) > len(sent) or not self._created_with.issuperset(map(str.lower, sent)):
            raise NotCarried(f"`{what}` has more of the `request` of an answer than its declared headers")
        small = _HEADERS.sub(lambda found: found[1] + found[2].lower(), text)
        found = super().template(small, names | ANSWERS, what)
        # The values have their places in the request that creates the job.
        self._of_stream.used |= self.used
        self._of_stream.uses_interval |= self.uses_interval
        self.used.clear()
        self.uses_interval.clear()
        return found


@dataclass
class _Requests:
    """Converts the requesters of one stream's job.

    Attributes:
        creation: the requester that creates the job.
        credentials: found among the values of the others.
    """

    creation: Mapping[str, Any]
    texts: Texts
    findings: Findings
    name: str
    credentials: list[Auth] = field(default_factory=list)

    def converted(self, requester: Mapping[str, Any], what: str, *, is_file: bool) -> tuple[JobRequest, Request]:
        """A requester as a request of a job, and as `convert_request` has it. Raises NotCarried."""
        try:
            return self._converted(requester, is_file=is_file)
        except NotCarried as error:
            raise NotCarried(f"{what}: {error}") from None

    def _converted(self, requester: Mapping[str, Any], *, is_file: bool) -> tuple[JobRequest, Request]:
        texts = _JobTexts(self.texts, self.creation)
        if requester.get("type") != "HttpRequester" and not (requester.get("url_base") or requester.get("url")):
            raise NotCarried(f"`{requester.get('class_name', requester.get('type'))}` is Python, which is never run")
        requester = _with_address(requester)
        base, path = address_of(requester)
        written = f"{base}/{path.lstrip('/')}" if path else base
        is_answers = _ANSWER.search(base) is not None
        url = None
        if is_answers and not (is_file and _TARGET.fullmatch(written)):
            url = texts.template(texts.rewritten(written), _NAMES, "url")
        method = str(requester.get("http_method") or "GET").upper()
        if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            raise NotCarried(f"a request by {method} is not in our vocabulary")
        # An address that is an answer's is none of the file's; another method may have a body too.
        plain = {**requester, "http_method": "GET" if method == "GET" else "POST"}
        if is_answers:
            plain |= {"url": None, "url_base": "https://answer.invalid", "path": None}
        request = convert_request(plain, Partitions(), texts, self.findings, self.name, {})
        if request.auth is not None and not is_file:
            self.credentials.append(request.auth)
        asked = request.endpoint
        if url is not None and asked.params and not is_file:
            raise NotCarried("parameters beside an address that an answer has are not in our vocabulary")
        found = JobRequest(
            path=None if is_answers else asked.path,
            url=url,
            base_url=None if is_answers or base == address_of(self.creation)[0] else request.base_url,
            params=cast("Mapping[str, Any]", asked.params),
            json=asked.json,
            data=cast("Mapping[str, Any] | None", asked.data),
            headers=cast("Mapping[str, Any]", asked.headers),
            method=cast('Literal["GET", "POST", "PUT", "PATCH", "DELETE"]', method),
            error_handler=self._handler(requester),
            credential=self._has_credential(requester),
        )
        return found, request

    def _handler(self, requester: Mapping[str, Any]) -> ErrorHandler | None:
        """What its responses mean, if that is not what those of the creation mean."""
        found = convert_errors(requester.get("error_handler"), self.texts, self.findings, self.name)
        is_said = requester.get("error_handler") is not None or self.creation.get("error_handler") is not None
        if not is_said or requester.get("error_handler") == self.creation.get("error_handler"):
            return None
        return found or ErrorHandler()

    def _has_credential(self, requester: Mapping[str, Any]) -> bool:
        own, others = requester.get("authenticator"), self.creation.get("authenticator")
        if own == others:
            return True
        if own is None or (isinstance(own, Mapping) and own.get("type") == "NoAuth"):
            return False
        raise NotCarried("it has another credential than the job's creation")


def _with_address(requester: Mapping[str, Any]) -> Mapping[str, Any]:
    """A requester whose path is the whole address, beside an empty base (amazon_ads), in the usual form."""
    path = requester.get("path")
    if requester.get("url_base") == "" and isinstance(path, str) and _ANSWER.search(path):
        return {**requester, "url_base": path, "path": None}
    return requester


def _statuses(mapping: Any) -> dict[str, tuple[str, ...]]:
    given = mapping if isinstance(mapping, Mapping) else {}
    found: dict[str, tuple[str, ...]] = {}
    for key, word in _STATUSES.items():
        listed = given.get(word) or ()
        if not isinstance(listed, list | tuple) or any(is_template(one) for one in listed):
            raise NotCarried(f"`status_mapping.{word}` is computed")
        found[key] = tuple(dict.fromkeys(str(one) for one in listed))
    return found


def _number(given: Any, otherwise: int, what: str, jobs: _Requests) -> int:
    """A number that is written out, or the default of the setting that it is."""
    if given is None or given == "":
        return otherwise
    if isinstance(given, int | float) and not isinstance(given, bool):
        return int(given)
    settings: ConfigSettings = jobs.texts.settings
    setting = setting_in(given, settings)
    default = settings.default(setting) if setting is not None else given
    try:
        found = int(str(default))
    except ValueError:
        found = otherwise
    if is_template(given):
        jobs.findings.assumed(jobs.name, what, f"is computed: {found} is written to the file")
    return found
