"""One function per contender that loads the benchmark's leads into DuckDB; run in a separate process, prints JSON.

`seconds` exclude starting Python and importing: only the loading is compared. Ours is a complete Dagster
materialisation.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.server import PAGE, TOKEN

if TYPE_CHECKING:
    import pyarrow as pa


def ours(url: str, database: str, resource: str = "leads") -> int:
    import dagster as dg

    from platform_assets.definitions import defs

    repository = defs().get_repository_def()
    os.environ.update(
        SOURCES__CRM__BASE_URL=url, SOURCES__CRM__API_TOKEN=TOKEN, DESTINATION__DUCKDB__CREDENTIALS=database
    )
    # The instance imports its storage, which is not part of the loading either.
    with dg.DagsterInstance.ephemeral() as instance:
        clock.start()
        result = repository.get_job("sync_crm").execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["crm", resource])],
            run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}},
        )
        clock.stop()
    (event,) = (e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey(["crm", resource]))
    return int(str(event.materialization.metadata["dagster/row_count"].value))


def filtered(url: str, database: str) -> int:
    """Ours, on a resource whose server filters by time."""
    return ours(url, database, "deals")


def dlt_parquet(url: str, database: str) -> int:
    """Plain dlt with files of Parquet between its steps."""
    return plain_dlt(url, database, loader_file_format="parquet")


def arrow_pages(url: str) -> "Iterator[pa.Table]":
    """The leads as one Arrow table a page, nested values as JSON; what it imports is imported before the first page."""
    import orjson
    import pyarrow as pa
    import requests

    def pages() -> "Iterator[pa.Table]":
        session = requests.Session()
        start = 0
        while start is not None:
            response = session.get(
                f"{url}/v1/leads", params={"start": start, "limit": PAGE, "api_token": TOKEN}, timeout=60
            )
            body = orjson.loads(response.content)
            for record in body["data"]:
                for name, value in record.items():
                    if isinstance(value, dict | list):
                        record[name] = orjson.dumps(value).decode()
            yield pa.Table.from_pylist(body["data"])
            start = body["additional_data"]["pagination"].get("next_start")

    return pages()


def dlt_arrow(url: str, database: str) -> int:
    """dlt's fastest way: the user reads the API and builds Arrow tables, dlt merges them by the key."""
    import dlt
    import duckdb

    leads = dlt.resource(arrow_pages(url), name="leads", primary_key="id", write_disposition="merge")
    clock.start()
    destination = dlt.destinations.duckdb(credentials=database)
    folder = str(Path(database).parent / "dlt")
    dlt.pipeline("arrow", destination=destination, dataset_name="crm", pipelines_dir=folder).run(leads)
    clock.stop()
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute("SELECT count(*) FROM crm.leads").fetchall()[0][0]


def plain_dlt(url: str, database: str, **options: Any) -> int:
    import dlt
    import duckdb
    from dlt.sources.rest_api import rest_api_source

    clock.start()
    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "auth": {"type": "api_key", "name": "api_token", "api_key": TOKEN, "location": "query"},
            },
            "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
            "resources": [
                {
                    "name": "leads",
                    "endpoint": {
                        "path": "/v1/leads",
                        "data_selector": "data",
                        "params": {"limit": PAGE},
                        "paginator": {
                            "type": "cursor",
                            "cursor_param": "start",
                            "cursor_path": "additional_data.pagination.next_start",
                        },
                    },
                }
            ],
        }
    )
    folder = str(Path(database).parent / "dlt")
    destination = dlt.destinations.duckdb(credentials=database)
    dlt.pipeline("plain", destination=destination, dataset_name="crm", pipelines_dir=folder).run(source, **options)
    clock.stop()
    with duckdb.connect(database, read_only=True) as connection:
        return connection.execute("SELECT count(*) FROM crm.leads").fetchall()[0][0]


def airbyte_cdk(url: str, database: str) -> int:
    """Records as JSON lines, neither typed nor in a database."""
    import orjson

    from benchmarks.cdk_manifests import records
    from benchmarks.leads_manifest import BY_CURSOR, leads

    manifest = leads(url, BY_CURSOR)
    clock.start()
    rows = 0
    with open(f"{database}.jsonl", "wb") as lines:  # noqa: PTH123
        for _, data in records(manifest, {"key": TOKEN}, ["leads"]):
            lines.write(orjson.dumps(data) + b"\n")
            rows += 1
    clock.stop()
    return rows


def by_hand(url: str, database: str) -> int:
    """The lower bound: download, parse, Arrow, insert; no declared types, retries, state or deduplication."""
    import duckdb

    pages = arrow_pages(url)
    clock.start()
    connection = duckdb.connect(database)
    rows = 0
    for page in pages:
        if rows:
            connection.execute("INSERT INTO leads BY NAME SELECT * FROM page")
        else:
            connection.execute("CREATE TABLE leads AS SELECT * FROM page")
        rows += page.num_rows
    connection.close()
    clock.stop()
    return rows


def fan_out(url: str, database: str) -> int:
    """Ours: all pipelines of 200 organizations, one request each."""
    from platform_assets.configuration.platform_settings import read_settings
    from platform_assets.http.client import ApiClient
    from platform_assets.platforms import platform_named
    from platform_assets.sync import Selection, sync
    from platform_assets.warehouse import open_warehouse

    os.environ.update(
        SOURCES__CI_ANALYTICS__BASE_URL=url,
        SOURCES__CI_ANALYTICS__API_TOKEN=TOKEN,
        DESTINATION__DUCKDB__CREDENTIALS=database,
    )
    platform = platform_named("ci_analytics")
    settings = read_settings(platform)
    with open_warehouse(platform) as warehouse, ApiClient(platform, settings) as client:
        sync(client, warehouse, Selection(("organizations",)))
        clock.start()
        (outcome,) = sync(client, warehouse, Selection(("organizations_pipelines",)))
        clock.stop()
    return outcome.rows_in_table


class Clock:
    """Wall-clock and CPU seconds of the part that is compared."""

    def start(self) -> None:
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds, self.cpu = time.perf_counter() - self.began, time.process_time() - self.cpu_began


clock = Clock()
CONTENDERS = {
    "ours": ours,
    "ours, filtered": filtered,
    "plain dlt": plain_dlt,
    "dlt, Parquet": dlt_parquet,
    "dlt, Arrow": dlt_arrow,
    "Airbyte CDK": airbyte_cdk,
    "by hand": by_hand,
    "fan-out": fan_out,
}

if __name__ == "__main__":
    name, url, database = sys.argv[1:]
    rows = CONTENDERS[name](url, database)
    print(json.dumps({"rows": rows, "seconds": clock.seconds, "cpu": clock.cpu}))
