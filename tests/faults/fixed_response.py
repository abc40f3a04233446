"""A client whose requests all get one fixed response, and the rows that it reads from it."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from dlt.common.schema import Schema

from platform_assets.arrow.batches import Batch
from platform_assets.arrow.buffer import ParquetBuffer
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import (
    PlatformAssetsError,
)
from platform_assets.extraction.reading import ListRead, Target, read
from platform_assets.http.client import ApiClient
from platform_assets.platforms import platform_named
from platform_assets.warehouse.dlt_source import table_columns
from tests.servers.faulty_proxy import FaultyProxy, GoodResponse, Wire

Row = dict[str, Any]


class FixedResponse:
    """A client whose requests all get the same response over a real socket; `later` is for all but the first page."""

    def __init__(self, url: str) -> None:
        self.proxy = FaultyProxy(url, self._respond, times=None, known={})
        self.body, self.headers = b"", dict[str, str]()
        self.later: tuple[bytes, dict[str, str]] | None = None

    def _respond(self, wire: Wire, good: GoodResponse) -> bool:
        is_later = self.later is not None and "cursor=" in wire.request
        body, headers = self.later if self.later and is_later else (self.body, self.headers)
        wire.send(good.message(body, status=200, **headers))
        return True

    def read(self, name: str, resource: str) -> list[Row] | None:
        """The rows that were read, by column; None if the response was refused."""
        platform = platform_named(name)
        client_settings = Settings(base_url=f"{self.proxy.url}/{name}", token="t0ken", backoff_factor=0.0)
        columns = table_columns(platform, platform.resource(resource), Schema(name).naming)
        key = platform.primary_key_of(platform.resource(resource))
        requests_before = len(self.proxy.targets)
        with tempfile.TemporaryDirectory() as folder, ApiClient(platform, client_settings) as client:
            buffer = ParquetBuffer(Path(folder), columns, key, None, no_hashes(), b"", datetime.now(UTC), None)
            try:
                batch = Batch()
                read(ListRead(client, platform.resource(resource)), Target(buffer, {"": batch}, {"": {}}))
                buffer.accept(batch)
                return [row for path in buffer.finish().files for row in pq.read_table(path).to_pylist()]
            except PlatformAssetsError as error:
                assert "t0ken" not in str(error) and len(str(error)) < 2000
                return None
            finally:
                assert len(self.proxy.targets) > requests_before, "no request was sent"


def no_hashes() -> Any:
    return np.empty(0, np.uint64)
