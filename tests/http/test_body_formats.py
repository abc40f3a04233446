"""Bodies that are not JSON: what is damaged, cut off, too large or ambiguous is an error, never a shorter list."""

import gzip
import io
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    BearerAuth,
    Client,
    Csv,
    Endpoint,
    ErrorHandler,
    Gzip,
    Json,
    JsonLines,
    Lines,
    Platform,
    ResponseFormat,
    SinglePage,
    Xml,
    Zip,
)
from platform_assets.http.client import ApiClient
from platform_assets.http.errors import AnswerError, PlatformAssetsError
from platform_assets.http.gzipped import decompressed
from platform_assets.http.zipped import files_in
from tests.servers.http_server import HttpServer, Reply, Request


def packed(content: bytes) -> bytes:
    """A gzipped file that does not say when it was made: names of tests have it."""
    return gzip.compress(content, mtime=0)


def archive(*files: bytes, compression: int = ZIP_STORED) -> bytes:
    """A ZIP archive that does not say when it was made."""
    found = io.BytesIO()
    with ZipFile(found, "w", compression) as into:
        for number, content in enumerate(files):
            into.writestr(ZipInfo(f"{number}.csv"), content, compression)
    return found.getvalue()


def answered(reply: Reply, declared: ResponseFormat) -> Any:
    """What the client makes of a reply."""
    endpoint = Endpoint(path="/x", response_format=declared)
    client = Client(auth=BearerAuth(), probe="/x", paginator=SinglePage(), error_handler=ErrorHandler(max_retries=0))
    platform = Platform(name="shop", title="Shop", description="", client=client, resources=())

    def reply_to(request: Request) -> Reply:
        assert request.headers["Accept"] == "*/*"
        return reply

    with HttpServer(reply_to) as server, ApiClient(platform, Settings(base_url=server.url, token="t0ken")) as found:
        return found.get("/x", endpoint=endpoint).body


@pytest.mark.parametrize(
    ("declared", "body", "expected"),
    [
        (JsonLines(), b'{"a":1}\n\n{"a":18446744073709551616}\r\n', [{"a": 1}, {"a": 18446744073709551616}]),
        (JsonLines(), b"", []),
        (Lines(), b"a\n\nb", [{"record": "a"}, {"record": ""}, {"record": "b"}]),
        (Csv(), b'\xef\xbb\xbfa,b\r\n1,"x, ""y""\n"\r\n', [{"a": "1", "b": 'x, "y"\n'}]),
        (Csv(null_values=("", "NULL")), b"a,b\n,NULL\n", [{"a": None, "b": None}]),
        (Csv(delimiter="\t", encoding="utf-16"), "a\tb\nä\t2\n".encode("utf-16"), [{"a": "ä", "b": "2"}]),
        (Csv(), b"a,b\n", []),
        (Xml(), b'<r><i n="1">x</i><i/><j> y </j></r>', {"r": {"i": [{"@n": "1", "#text": "x"}, None], "j": "y"}}),
        (Gzip(), packed(b'{"a": 1}'), {"a": 1}),
        (Gzip(), b'{"a": 1}', {"a": 1}),
        (Gzip(of=Lines()), packed(b"a\n") + packed(b"b") + b"\0\0", [{"record": "a"}, {"record": "b"}]),
        (Zip(), archive(b"a,b\n1,2\n", b"b,a\n3,4\n"), [{"a": "1", "b": "2"}, {"b": "3", "a": "4"}]),
        (Zip(of=Json()), archive(b'{"a": 1}'), {"a": 1}),
    ],
)
def test_bodies_are_read(declared: ResponseFormat, body: bytes, expected: Any) -> None:
    assert answered(Reply(body), declared) == expected


@pytest.mark.parametrize(
    ("declared", "body", "text"),
    [
        (JsonLines(), b'{"a":1}\n{"a":', "line 2 is not JSON"),
        (JsonLines(), b"<html>", "line 1 is not JSON"),
        (Lines(), b"<html>no</html>", "where lines of text are expected"),
        (Lines(), b"\xff", "not UTF-8"),
        (Csv(), b"", "no line with the names"),
        (Csv(), b"<html>no</html>", "begins with the names"),
        (Csv(), b"a,b\n1\n", "line 2 has 1 fields, of 2"),
        (Csv(), b"a,b\n1,2,3\n", "has 3 fields"),
        (Csv(), b"a,a\n1,2\n", "two columns are called 'a'"),
        (Csv(), b'a,b\n1,"x\n', "line 2"),
        (Csv(), b"too many requests\n", "not taken for an empty table"),
        (Csv(), b"a,b\n\xff,2\n", "not utf-8"),
        (Xml(), b"<r><i></r>", "not XML"),
        (Xml(), b"<r>", "not XML"),
        (Xml(), b'<!DOCTYPE r [<!ENTITY a "aaaa">]><r>&a;</r>', "declares entities"),
        (Xml(), b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r>&a;</r>', "declares entities"),
        (Xml(), b"<r>" * 300 + b"</r>" * 300, "nested too deep"),
        (Gzip(), packed(b'{"a": 1}')[:-4], "ends early"),
        (Gzip(), packed(b'{"a": 1}')[:12] + b"xxxxxxxxxxxx", "damaged"),
        (Gzip(of=Csv()), packed(b"a,b\n1\n"), "has 1 fields"),
        (Json(), b"<html>", "not JSON"),
        (Zip(), b"a,b\n1,2\n", "damaged"),
        (Zip(), archive(b"a,b\n1,2\n")[:-4], "damaged"),
        (Zip(), archive(b"a,b\n1,2\n").replace(b"1,2", b"1,3"), "damaged: Bad CRC"),
        (Zip(), archive(), "of 0 files"),
        (Zip(of=Json()), archive(b"1", b"2"), "of 2 files, where one is expected"),
        (Zip(), archive(b"a,b\n1\n"), "has 1 fields"),
    ],
)
def test_a_body_of_another_form_is_an_error(declared: ResponseFormat, body: bytes, text: str) -> None:
    with pytest.raises(AnswerError, match=text):
        answered(Reply(body), declared)


@pytest.mark.parametrize("declared", [JsonLines(), Lines(), Csv(), Gzip(of=Csv())])
def test_a_body_that_is_cut_off_is_an_error(declared: ResponseFormat) -> None:
    with pytest.raises(PlatformAssetsError):
        answered(Reply(b'{"a": 1}\n{"a": 2}\n' * 20, break_after=40), declared)


def test_one_error_that_is_labelled_json_is_no_line() -> None:
    with pytest.raises(AnswerError, match="where lines are expected"):
        answered(Reply({"error": "too many"}, headers={"Content-Type": "application/json"}), JsonLines())


def test_a_gzipped_file_of_more_than_may_come_of_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", 100_000)
    with pytest.raises(AnswerError, match="larger than 100000 bytes"):
        answered(Reply(packed(b" " * 50_000_000)), Gzip())


def test_an_archive_of_more_than_may_come_of_it_or_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_assets.http.client.MAX_BODY", 100_000)
    with pytest.raises(AnswerError, match="larger than 100000 bytes"):
        answered(Reply(archive(b" " * 60_000, b" " * 60_000, compression=ZIP_DEFLATED)), Zip())
    content = bytearray(archive(b"a\n"))
    # The flag of the archive's list of files.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(AnswerError, match="with a password"):
        answered(Reply(bytes(content)), Zip())


def test_an_archive_that_ends_anywhere_is_not_whole() -> None:
    content = archive(bytes(range(256)) * 4, b"second")
    assert files_in(content, 1 << 20) == [bytes(range(256)) * 4, b"second"]
    for end in range(len(content)):
        with pytest.raises(ValueError, match="damaged"):
            files_in(content[:end], 1 << 20)


def test_a_gzipped_file_that_ends_anywhere_is_not_whole() -> None:
    content = packed(bytes(range(256)) * 200)
    assert decompressed(content, 1 << 20) == bytes(range(256)) * 200
    for end in range(1, len(content)):
        with pytest.raises(ValueError, match=r"ends early|damaged"):
            decompressed(content[:end], 1 << 20)
