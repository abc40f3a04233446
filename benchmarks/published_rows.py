"""What published manifests read from servers made of them, by ours and by Airbyte's CDK: rows, and what is asked for.

    python -m benchmarks.published_rows manifests/*.yaml

Each manifest has a server of its own (generated_server.py) for each reader, and settings made from its specification.
Writes benchmarks/PUBLISHED_ROWS.md, and prints every stream whose rows or requests are not the same. A difference may
be the generated server's: it has two records, and no idea of what they mean. The CDK reads a manifest as a whole,
so one stream that it fails at hides all.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fast_path import CDK_VERSION, HERE, ROOT, cdk_python
from benchmarks.generated_server import Asked, GeneratedServer, example_config, relocated
from platform_assets.declarations import Platform
from platform_assets.extraction.reading import all_records
from platform_assets.http.base_urls import account_settings
from platform_assets.http.client import ApiClient
from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.components import Manifest
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.reader import parse_platform

_PREFIX = "SOURCES__SHOP__"
_SECONDS = 120
# What differs between two reads: times of today, and in seconds since 1970.
_NOW = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])-\d\dT?[\d:.]*(?:Z|[+-]\d\d:?\d\d)?|\b1[789]\d{8}(?:\d{3})?\b")


@dataclass(frozen=True)
class Read:
    """What one reader has read: stream -> its rows as comparable texts, or why it has none; and what it has asked."""

    rows: Mapping[str, list[str] | str]
    asked: Mapping[str | None, set[str]]


@contextmanager
def _served(file: Path) -> Iterator[tuple[GeneratedServer, dict[str, Any], dict[str, Any], Manifest]]:
    """A server, the manifest with its address, settings, and the manifest as it was read."""
    with GeneratedServer() as server:
        manifest = relocated(yaml.safe_load(file.read_text()), server.url)
        read = read_manifest(json.dumps(manifest), Path("manifest.json"), Findings())
        server.serve(read)
        yield server, manifest, example_config(manifest.get("spec"), server.url), read


def by_ours(file: Path) -> Read:
    """Raises UnreadableDocument if no stream is carried."""
    with _served(file) as (server, _, config, read):
        found = import_manifest(read, "shop", Findings())
        platform = parse_platform(as_yaml(replace(found.platform, base_url=found.base_url)), "shop.yaml")
        for name in [name for name in os.environ if name.startswith(_PREFIX)]:
            del os.environ[name]
        os.environ |= {f"{_PREFIX}{secret.upper()}": f"{secret}-v" for secret in platform.client.auth.secrets}
        for name, value in _flat(read, config, ()):
            os.environ[f"{_PREFIX}{name.upper()}"] = json.dumps(value) if isinstance(value, list) else str(value)
        if found.base_url is None:
            os.environ[f"{_PREFIX}BASE_URL"] = server.url
        rows = _our_rows(platform, server.url)
        return Read(rows, _requests(server))


def _our_rows(platform: Platform, url: str) -> dict[str, list[str] | str]:
    rows: dict[str, list[str] | str] = {}
    with ApiClient(platform, account_settings(platform)) as client:
        for resource in platform.resources:
            name = resource.specified_name or resource.name
            try:
                records = all_records(client, client.platform.resource(resource.name), Counter())
            except Exception as error:
                rows[name] = f"{type(error).__name__}: {error}"[:200]
                continue
            # Columns that a parent's values are loaded into.
            own = {resolve.column for resolve in resource.endpoint.parents.values()}
            rows[name] = sorted(_comparable(record, url, own) for record in records)
    return rows


def by_cdk(file: Path, streams: list[str]) -> Read:
    with _served(file) as (server, manifest, config, _):
        given = json.dumps({"name": file.stem, "manifest": manifest, "config": config, "streams": streams})
        command = [cdk_python(), "-m", "benchmarks.cdk_manifests"]
        try:
            done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, timeout=_SECONDS)
            answer = json.loads(done.stdout.splitlines()[0])
        except (subprocess.TimeoutExpired, IndexError) as error:
            answer = {"rows": {}, "error": type(error).__name__}
        rows: dict[str, list[str] | str] = dict.fromkeys(streams, str(answer["error"])[:200])
        if answer["error"] is None:
            rows |= {name: sorted(_comparable(one, server.url) for one in answer["rows"][name]) for name in streams}
        return Read(rows, _requests(server))


def _flat(read: Manifest, value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(read, inner, (*path, key))
    else:
        yield read.settings.name(path), value


def _requests(server: GeneratedServer) -> dict[str | None, set[str]]:
    found: dict[str | None, set[str]] = {}
    for one in server.asked:
        found.setdefault(one.stream, set()).add(_request(one, server.url))
    return found


def _request(asked: Asked, url: str) -> str:
    return _without_now(json.dumps([asked.path, asked.query, asked.body], sort_keys=True), url)


def _comparable(record: Mapping[str, Any], url: str, own: Collection[str] = ()) -> str:
    kept = {key: value for key, value in record.items() if value is not None and not key.startswith("_")}
    return _without_now(
        json.dumps({key: value for key, value in kept.items() if key not in own}, sort_keys=True, default=str), url
    )


def _without_now(text: str, url: str) -> str:
    return _NOW.sub("NOW", text.replace(url, "URL"))


def main() -> None:
    total: Counter[str] = Counter()
    for file in map(Path, sys.argv[1:]):
        try:
            ours = by_ours(file)
        except UnreadableDocument:
            total["manifests of which nothing is carried"] += 1
            continue
        theirs = by_cdk(file, list(ours.rows))
        for name, rows in ours.rows.items():
            other = theirs.rows[name]
            total["streams"] += 1
            if isinstance(other, str):
                total["streams that the CDK did not read"] += 1
                if isinstance(rows, str):
                    print(f"{file.stem}/{name}: ours: {rows}; the CDK: {other}", flush=True)
                continue
            total["rows equal" if rows == other else "rows not equal"] += 1
            if rows != other:
                shown = rows if isinstance(rows, str) else f"{len(rows)} rows, {rows[:1]}"
                print(f"{file.stem}/{name}: ours {shown}; the CDK {len(other)} rows, {other[:1]}", flush=True)
            asked, others = (one.asked.get(name, set()) for one in (ours, theirs))
            total["requests equal" if asked == others else "requests not equal"] += 1
            if asked != others:
                only = sorted(asked - others)[:2], sorted(others - asked)[:2]
                print(f"{file.stem}/{name}: asked by ours only {only[0]}, by the CDK only {only[1]}", flush=True)
    text = f"""# Rows of published manifests

{datetime.now(UTC):%Y-%m-%d}: {len(sys.argv) - 1} manifests of connectors that are nothing else, chosen by chance, each
read by ours and by Airbyte's CDK {CDK_VERSION} from a server made of it (generated_server.py): every row of every
stream, and every request without what pages it and the credential. Streams of manifests that the CDK fails at as a
whole are not compared.

| | |
|---|---:|
{chr(10).join(f"| {name} | {count:,} |" for name, count in total.items())}
"""
    (HERE / "PUBLISHED_ROWS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
