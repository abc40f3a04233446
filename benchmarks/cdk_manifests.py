"""Reads manifests by Airbyte's CDK, in its own environment: JSON on stdin, one JSON line per manifest on stdout.

Given are `{"name", "manifest", "config", "streams"}` objects, a line each; answered are `{"name", "rows", "error"}`.
With `--count` only the number of records of each stream is answered.
"""

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

from airbyte_cdk.models import (  # pyright: ignore[reportMissingImports] -- in a separate environment
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (  # pyright: ignore[reportMissingImports] -- as above
    ConcurrentDeclarativeSource,
)


def records(
    manifest: dict[str, Any], config: dict[str, Any], streams: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stream and data of each record, in the order in which they come."""
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=AirbyteStream(name=name, json_schema={}, supported_sync_modes=[SyncMode.full_refresh]),
                sync_mode=SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.append,
            )
            for name in streams
        ]
    )
    source = ConcurrentDeclarativeSource(catalog=catalog, config=config, state=[], source_config=manifest)
    for message in source.read(logging.getLogger("cdk"), config, catalog, []):
        if message.record is not None:
            yield message.record.stream, message.record.data


def read(manifest: dict[str, Any], config: dict[str, Any], streams: list[str]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
    for name, data in records(manifest, config, streams):
        rows[name].append(data)
    return rows


def main() -> None:
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        given = json.loads(line)
        answer: dict[str, Any] = {"name": given["name"], "rows": {}, "error": None}
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                answer["rows"] = read(given["manifest"], given["config"], given["streams"])
            except Exception as error:
                answer["error"] = f"{type(error).__name__}: {error}"[:300]
        if "--count" in sys.argv:
            answer["rows"] = {name: len(found) for name, found in answer["rows"].items()}
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
