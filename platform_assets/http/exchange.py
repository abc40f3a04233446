"""One request and its whole body, within bounds of size and time.

A body goes into memory, or as it was sent into a file: reports are larger than other answers.
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import requests
import urllib3
from requests.auth import AuthBase

from platform_assets.cancellation import Cancellation
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Platform
from platform_assets.http.connection_errors import classify_connection_error
from platform_assets.http.deadline import Deadline
from platform_assets.http.errors import AnswerError
from platform_assets.http.messages import Messages
from platform_assets.http.outgoing import Outgoing
from platform_assets.http.urls import ParamValue, origin

# Seconds until a connection is given up.
CONNECT_TIMEOUT = 10.0

# Seconds without a byte until a request is given up; `[sources.<platform>] read_timeout` overrides it.
READ_TIMEOUT = 60.0

# Seconds from connecting to the last byte; `[sources.<platform>] answer_timeout` overrides it.
ANSWER_TIMEOUT = 120.0

# The same for a file, which may be as large as `MAX_FILE`; a longer `answer_timeout` overrides it.
FILE_TIMEOUT = 3600.0

# Bytes of a file, as it is sent.
MAX_FILE = 1 << 36

# Seconds for a request that a cancelled run still sends.
LAST_TIMEOUT = 10.0

# Bytes that are read at a time.
_CHUNK = 1 << 18


class Exchange:
    """Sends one client's requests. Safe to use from several threads.

    Args:
        platform, settings: names of what to check in messages, and the timeouts.
        messages: makes the texts of errors.

    Attributes:
        has_responded: origins that have responded.
    """

    def __init__(self, platform: Platform, settings: Settings, messages: Messages) -> None:
        self._platform = platform
        self._settings = settings
        self._messages = messages
        self.has_responded: set[str] = set()

    def send(
        self,
        session: requests.Session,
        url: str,
        query: Mapping[str, ParamValue],
        outgoing: Outgoing,
        headers: Mapping[str, str],
        cancellation: Cancellation,
        *,
        credential: AuthBase | None,
        most: int,
        into: BinaryIO | None = None,
        is_last: bool = False,
    ) -> tuple[requests.Response, bytes]:
        """The response to a request, and its body; redirects are not followed.

        Args:
            session: adds what it adds to every request.
            url, query: where it goes.
            outgoing: its method, body and headers.
            headers: beside those.
            cancellation: breaks it off.
            credential: adds the credential; None for a request without one.
            most: bytes of the body, decoded.
            into: takes the body of a 200 instead of memory, without decoding it; what was in it is gone.
            is_last: whether little time is left for it.

        Raises TransientFault, RequestFailed and AnswerError as `classify_connection_error` does.
        """
        server = origin(url)
        deadline = Deadline(self._seconds(into, is_last=is_last))
        sent = {**headers, **({} if into is None else {"Accept": "*/*", "Accept-Encoding": "gzip"})}
        try:
            with (
                deadline,
                cancellation.calling(deadline.end),
                session.request(
                    outgoing.method,
                    url,
                    params=query,
                    json=outgoing.json,
                    data=outgoing.data,
                    timeout=(CONNECT_TIMEOUT, self._settings.read_timeout or READ_TIMEOUT),
                    headers={**sent, **outgoing.headers},
                    auth=credential,
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                self.has_responded.add(server)
                if into is not None and response.status_code == 200:
                    self._write(response, outgoing.name, into)
                    content = b""
                else:
                    content = self._read(response, outgoing.name, most)
            if deadline.passed:
                raise requests.Timeout
            return response, content
        except requests.RequestException as error:
            raise classify_connection_error(
                error,
                outgoing.name,
                timed_out=deadline.passed,
                platform=self._platform,
                origin=server,
                messages=self._messages,
                responded_before=server in self.has_responded,
            ) from None

    def _seconds(self, into: BinaryIO | None, *, is_last: bool) -> float:
        if is_last:
            return LAST_TIMEOUT
        declared = self._settings.answer_timeout
        return declared or ANSWER_TIMEOUT if into is None else max(declared or 0.0, FILE_TIMEOUT)

    def _read(self, response: requests.Response, name: str, most: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                raise AnswerError(self._messages.about(name, f"the answer is larger than {most} bytes"))
        return b"".join(chunks)

    def _write(self, response: requests.Response, name: str, into: BinaryIO) -> None:
        # Another try may have left something.
        into.seek(0)
        into.truncate()
        size = 0
        for chunk in _as_sent(response):
            size += len(chunk)
            if size > MAX_FILE:
                raise AnswerError(self._messages.about(name, f"the file is larger than {MAX_FILE} bytes"))
            into.write(chunk)
        into.flush()


def _as_sent(response: requests.Response) -> Iterator[bytes]:
    """The body without decoding: urllib3 takes a compressed one that ends early for a whole one."""
    try:
        yield from response.raw.stream(_CHUNK, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ChunkedEncodingError(error) from error
