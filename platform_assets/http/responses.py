"""What a response means: an answer, a transient fault that is worth a retry, or a failure.

200 with a JSON body, or one in the declared format -> Answer
200 with a text, where one is expected -> Answer
200 with another body            -> AnswerError; a transient fault if the body may have been cut off
another 2xx                      -> AnswerError
a declared response action       -> what it says, before anything else
a declared retry status          -> TransientFault; LimitExhausted if the server asks for too long a wait
any other status                 -> RequestFailed
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import orjson
import requests

from platform_assets.configuration.platform_settings import setting_name
from platform_assets.declarations import Endpoint, ErrorHandler, Platform, ResponseAction, Template
from platform_assets.declarations.response_format import Gzip, Json, PlainFormat, ResponseFormat, Zip, inner_format
from platform_assets.http.answer import Answer
from platform_assets.http.body_files import is_whole_file
from platform_assets.http.body_formats import ends_itself, from_format
from platform_assets.http.errors import AnswerError, LimitExhausted, RequestFailed, ResponseIgnored
from platform_assets.http.gzipped import GZIP_MAGIC, TooLarge, decompressed
from platform_assets.http.lossless_json import from_json
from platform_assets.http.messages import Messages
from platform_assets.http.repeated_keys import repeated_key
from platform_assets.http.retry import TransientFault
from platform_assets.http.retry_delay import declared_delay, retry_delay
from platform_assets.http.zipped import files_in, joined

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Longer delays are capped in the message that says when to come back, since dates end with the year 9999.
_LONGEST_DELAY = timedelta(days=3650)


@dataclass(frozen=True)
class ResponseClassifier:
    """Tells answers from faults, by the platform's error handler.

    Args:
        platform: the platform, with its contract applied.
        messages: makes the texts of errors.
        configured: setting -> its values, for conditions.
    """

    platform: Platform
    messages: Messages
    configured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def classify(
        self,
        response: requests.Response,
        content: bytes,
        path: str,
        endpoint: Endpoint | None = None,
        *,
        text: bool = False,
        most: int = 1 << 28,
        into: BinaryIO | None = None,
    ) -> Answer:
        """The answer in a response.

        Args:
            response: status and headers.
            content: the complete body, without the encoding of the transfer.
            path: the request's method and path, for messages.
            endpoint: whose permission a refusal names, and what its answers are written in.
            text: whether the body is a text instead of that.
            most: bytes of a body that is a gzipped file, decompressed.
            into: has the body of a 200 as it was sent, instead of `content`.

        Raises:
            TransientFault: the request may be sent again.
            RequestFailed, LimitExhausted, AnswerError: it may not, as described above.
            ResponseIgnored: the declaration says so.
        """
        status = response.status_code
        handler = self.platform.error_handler_of(endpoint)
        declared = self._declared_action(handler, response, content, path) if handler.response_actions else None
        if declared is not None and declared.action != "success":
            raise self._as_declared(declared, handler, response, content, path, endpoint)
        if status == 200 or declared is not None:
            if into is not None and status == 200:
                return self._file(response, into, path, endpoint)
            if text:
                return Answer(self._text(response, content, path), response.headers)
            declared_format = endpoint.response_format if endpoint is not None else None
            if declared_format is None:
                return Answer(self._parse(response, content, path), response.headers)
            return Answer(self._body(response, content, path, declared_format, most), response.headers)
        if 200 <= status < 300:
            problem = f"answered {status} where 200 with a JSON body is expected"
            raise AnswerError(self.messages.about(path, problem))
        # An API that speaks JSON refuses in JSON, or in a text; a page of HTML is a gateway's.
        blocked = status == 403 and content.lstrip()[:1] == b"<"
        failure = RequestFailed(
            self.messages.about(path, self._describe(response, content, endpoint)), status=status, blocked=blocked
        )
        if status in handler.retry_once_after:
            raise TransientFault(failure, None, once_after=handler.retry_once_after[status])
        if status == 403 and handler.retry_not_json and not _is_json(content):
            raise TransientFault(failure, None)
        if status not in handler.retry_on_status_codes:
            raise failure
        raise self._transient(failure, handler, status, response, content, path)

    def _transient(
        self,
        failure: RequestFailed,
        handler: ErrorHandler,
        status: int,
        response: requests.Response,
        content: bytes,
        path: str,
    ) -> TransientFault:
        """The fault with its wait. Raises LimitExhausted if the server asks for a longer one than is declared."""
        now = datetime.now(UTC)
        delay = declared_delay(handler.backoff, response.headers, now)
        if delay is None:
            delay = retry_delay(status, response.headers, content, now)
        if delay is not None and delay > handler.wait_budget:
            come_back_at = now + timedelta(seconds=min(delay, _LONGEST_DELAY.total_seconds()))
            problem = f"the rate limit is spent; come back at {come_back_at:%Y-%m-%d %H:%M:%S} UTC"
            raise LimitExhausted(self.messages.about(path, problem), status=status)
        return TransientFault(failure, delay)

    def _declared_action(
        self, handler: ErrorHandler, response: requests.Response, content: bytes, path: str
    ) -> ResponseAction | None:
        """The first declared action whose conditions the response meets."""
        for declared in handler.response_actions:
            if declared.statuses and response.status_code not in declared.statuses:
                continue
            if declared.content is not None and declared.content.encode() not in content:
                continue
            if declared.condition is None or self._holds(declared.condition, response, content, path):
                return declared
        return None

    def _holds(self, condition: Template, response: requests.Response, content: bytes, path: str) -> bool:
        # Jinja2 is imported only where a template is used.
        from platform_assets.declarations.template_problems import CLOCKS, FUNCTIONS, RESPONSE
        from platform_assets.http.templates import Rendered, settings_values

        try:
            body = from_json(content.removeprefix(_BYTE_ORDER_MARK))
        except ValueError:
            body = {}
        values = {
            "response": body,
            "headers": response.headers,
            "status": response.status_code,
            "config": settings_values(self.configured),
        }
        try:
            return Rendered(condition, RESPONSE | FUNCTIONS | CLOCKS, "`condition`").holds(values)
        except AnswerError as error:
            raise AnswerError(self.messages.about(path, str(error))) from None

    def _as_declared(
        self,
        declared: ResponseAction,
        handler: ErrorHandler,
        response: requests.Response,
        content: bytes,
        path: str,
        endpoint: Endpoint | None,
    ) -> Exception:
        """What is raised for a response that a declared action names."""
        status = response.status_code
        described = declared.error_message or self._describe(response, content, endpoint)
        if declared.action == "ignore":
            return ResponseIgnored(self.messages.about(path, f"ignored as declared: {described}"), status=status)
        text = self.messages.about(path, described)
        if declared.action == "fail":
            return RequestFailed(text, status=status, declared=True)
        asked = 429 if declared.action == "rate_limited" else status
        return self._transient(RequestFailed(text, status=status), handler, asked, response, content, path)

    def _body(self, response: requests.Response, content: bytes, path: str, declared: ResponseFormat, most: int) -> Any:
        """The value of a body in a declared format. Raises AnswerError or TransientFault if it cannot be read."""
        is_gzipped = isinstance(declared, Gzip) and content.startswith(GZIP_MAGIC)
        try:
            if isinstance(declared, Zip):
                of, files = declared.of, files_in(content, most)
                return joined([self._written(response, one, path, of, is_whole=True) for one in files], of)
            content = decompressed(content, most) if is_gzipped else content
        except TooLarge:
            raise AnswerError(self.messages.about(path, f"the answer is larger than {most} bytes")) from None
        except ValueError as error:
            raise self._unreadable(response, self.messages.about(path, str(error))) from None
        return self._written(response, content, path, inner_format(declared), is_whole=is_gzipped)

    def _written(
        self, response: requests.Response, content: bytes, path: str, written_in: PlainFormat, *, is_whole: bool
    ) -> Any:
        """The value of a body that is no archive; `is_whole` says that none of it is missing."""
        if isinstance(written_in, Json):
            return self._parse(response, content, path)
        if not (is_whole or ends_itself(written_in) or _declares_length(response)):
            problem = "the body may be cut off: the response does not declare its length"
            raise TransientFault(RequestFailed(self.messages.about(path, problem)), None)
        kind = response.headers.get("Content-Type", "")
        try:
            return from_format(content, written_in, kind)
        except ValueError as error:
            name, shown = type(written_in).__name__, self.messages.excerpt(content) or "an empty body"
            problem = f"status {response.status_code}, {kind or 'no content type'}: not {name}: {error}: {shown}"
            raise self._unreadable(response, self.messages.about(path, problem)) from None

    def _file(self, response: requests.Response, into: BinaryIO, path: str, endpoint: Endpoint | None) -> Answer:
        """The answer whose body is in a file. Raises AnswerError or TransientFault if that is not all of it."""
        declared = endpoint.response_format if endpoint is not None and endpoint.response_format else Json()
        try:
            is_whole = is_whole_file(into, declared, response.headers)
        except ValueError as error:
            raise self._unreadable(response, self.messages.about(path, str(error))) from None
        if not is_whole and not _declares_length(response):
            problem = "the file may be cut off: the response does not declare its length"
            raise TransientFault(RequestFailed(self.messages.about(path, problem)), None)
        return Answer(None, response.headers)

    def _parse(self, response: requests.Response, content: bytes, path: str) -> Any:
        content = content.removeprefix(_BYTE_ORDER_MARK)
        try:
            body = from_json(content)
            repeated = repeated_key(body, content)
        except ValueError:
            kind = response.headers.get("Content-Type", "no content type")
            shown = self.messages.excerpt(content) or "an empty body"
            text = self.messages.about(path, f"status {response.status_code}, {kind}: not JSON: {shown}")
        else:
            if repeated is None:
                return body
            problem = f"the body has `{repeated}` twice in one object, so its value is ambiguous"
            raise AnswerError(self.messages.about(path, problem))
        raise self._unreadable(response, text)

    def _unreadable(self, response: requests.Response, text: str) -> Exception:
        """What is raised for a body that is not what it should be; `text` says so."""
        if not _declares_length(response):
            # A broken connection looks like the end of the body then.
            text = f"{text} (or cut off: the response does not declare its length)"
        elif not self.platform.client.error_handler.retry_not_json:
            return AnswerError(text)
        return TransientFault(RequestFailed(text), None)

    def _text(self, response: requests.Response, content: bytes, path: str) -> str | None:
        """The text that a body is, whether it comes as it is or as JSON; None for JSON's null and for what is no text.

        Servers label texts `application/octet-stream` too, so the bytes decide: U+0000, or what is not UTF-8, is in no
        text (an archive).
        """
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            body = self._parse(response, content, path)
            if body is not None and not isinstance(body, str):
                problem = f"JSON that is not a text, where a text is expected: {self.messages.excerpt(content)}"
                raise AnswerError(self.messages.about(path, problem))
            return body
        if kind == "text/html":
            # A page of something before the API.
            problem = f"a page of HTML where a text is expected: {self.messages.excerpt(content)}"
            raise AnswerError(self.messages.about(path, problem))
        if not _declares_length(response):
            problem = "the text may be cut off: the response does not declare its length"
            raise TransientFault(RequestFailed(self.messages.about(path, problem)), None)
        try:
            found = content.removeprefix(_BYTE_ORDER_MARK).decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in found else found

    def _describe(self, response: requests.Response, content: bytes, endpoint: Endpoint | None) -> str:
        status = response.status_code
        needed = f" (it needs the permission `{endpoint.scope}`)" if endpoint and endpoint.scope else ""
        if status == 401:
            asked = self.platform.auth_of(endpoint).secrets
            names = " and ".join(setting_name(self.platform, key) for key in asked)
            if not names:
                return "401: a credential is needed, and the declaration has none (`NoAuth`)"
            return f"401: the credential is refused: check {names}"
        needed = needed if status in (403, 404) else ""
        return f"answered {status}: {self.messages.excerpt(content) or response.reason}{needed}"


def _declares_length(response: requests.Response) -> bool:
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True
