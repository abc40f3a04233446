"""`make fuzz`: atheris searches, guided by coverage, for bytes that make parsing raise anything but our own errors.

Not part of the test suite, in which hypothesis does the same in less time (test_fuzz_responses.py and the like).
"""

import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

# In the group `fuzz` only.
atheris: Any = import_module("atheris")

with atheris.instrument_imports(include=["platform_assets", "requests", "urllib3"]):
    from requests import Response
    from requests.structures import CaseInsensitiveDict

    from platform_assets.arrow.hashes import content_hashes
    from platform_assets.configuration.platform_settings import Settings
    from platform_assets.declarations import PlatformAssetsError, Resource
    from platform_assets.http.client import ApiClient
    from platform_assets.http.messages import Messages
    from platform_assets.http.pagination.identity import by_content
    from platform_assets.http.pagination.link_header import link_entries
    from platform_assets.http.pagination.pager import pager
    from platform_assets.http.redaction import Redactor
    from platform_assets.http.responses import ResponseClassifier
    from platform_assets.http.retry import TransientFault
    from platform_assets.http.retry_delay import retry_delay
    from platform_assets.http.selection import selector, unwrap
    from platform_assets.platforms import platform_named

SECRET = "s3cr3t/+key"
CLIENTS = [
    (ApiClient(platform, Settings(base_url="http://127.0.0.1:1", token=SECRET)), platform.resource(resource))
    for platform, resource in (
        (platform_named("crm"), "deals"),
        (platform_named("error_tracking"), "projects"),
        (platform_named("ci_analytics"), "access_token"),
    )
]
REDACT = Redactor([SECRET])


SEEDS = (
    b'{"success":true,"data":[{"item":"deal","id":1,"data":{"id":1,"title":"a"}}],"additional_data":'
    b'{"pagination":{"start":0,"limit":500,"more_items_in_collection":true,"next_start":500}}}',
    b'{"data":[{"id":"1","slug":"web"}]}',
    b'{"data":{"uuid":"1"}}',
    b'{"data":[],"reset":30}',
    b'<http://h/?cursor=0:100:0>; rel="next"; results="true"; cursor="0:100:0"',
    b"Wed, 21 Oct 2026 07:28:00 GMT",
    b"3600",
)


def fuzz_response(data: bytes) -> None:
    """Use bytes as a body and as headers, for parsing, retry delays, selection, pagination and hashing."""
    header = data[:120].decode("latin-1")
    link_entries(header)
    shown = REDACT.excerpt(data.decode("utf-8", "replace") + SECRET, 160)
    assert SECRET not in shown and len(shown) <= 160
    for status in (200, 204, 400, 429, 503):
        delays = [
            retry_delay(status, {name: header}, data, datetime.now(UTC)) for name in ("Retry-After", "RateLimit-Reset")
        ]
        assert all(delay is None or 0 <= delay < float("inf") for delay in delays)
        for client, resource in CLIENTS:
            try:
                use(client, resource, status, header, data)
            except (PlatformAssetsError, TransientFault) as error:
                assert SECRET not in str(error)


def use(client: ApiClient, resource: Resource, status: int, header: str, content: bytes) -> None:
    response = Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict({"Content-Length": "1", "Link": header, "Retry-After": header})
    # Without a socket, for speed.
    whole = ResponseClassifier(client.platform, Messages(client.platform.name, client.redact)).classify(
        response, content, "/x"
    )
    platform = client.platform
    paginator = platform.paginator_of(resource)
    items = selector(platform.client, paginator, platform.data_selector_of(resource))(whole.body)
    records = unwrap(items, resource.endpoint.envelope, Counter())
    walk = pager(paginator, None)
    walk.first()
    walk.take(whole, by_content(items))
    content_hashes(records, b"")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], fuzz_response)
        atheris.Fuzz()
