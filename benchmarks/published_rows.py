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
from benchmarks.generated_server import GeneratedServer, example_config, relocated
from platform_assets.declarations import Platform
from platform_assets.extraction.reading import all_records
from platform_assets.http.base_urls import account_settings
from platform_assets.http.client import ApiClient
from platform_assets.http.selection import Record
from platform_assets.importing.findings import Findings, UnreadableDocument
from platform_assets.importing.manifest.components import Manifest
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.platform_files import as_yaml
from platform_assets.platform_files.reader import parse_platform

_PREFIX = "SOURCES__SHOP__"
_SECONDS = 120
# The address of a server.
_PORT = re.compile(r"http://127\.0\.0\.1:\d+")
# What differs between two reads, and between times in seconds and the same ones as texts.
_NOW = re.compile(r"\"?20\d\d-(?:0[1-9]|1[0-2])-\d\d[T ]?[\d:.]*(?:Z|[+-]\d\d:?\d\d)?\"?|\b1[789]\d{8}(?:\d{3}|\.0)?\b")
_LEFT_OUT = re.compile(r"`(.+?)` is left out: it is the time of the read")


@dataclass(frozen=True)
class Read:
    """What one reader has read.

    Attributes:
        rows: stream -> its rows, or why it has none.
        asked: stream -> its requests as comparable texts.
    """

    rows: Mapping[str, list[Record] | str]
    asked: Mapping[str | None, set[str]]


@contextmanager
def _served(file: Path) -> Iterator[tuple[GeneratedServer, dict[str, Any], dict[str, Any], Manifest]]:
    """A server, the manifest with its address, settings, and the manifest as it was read."""
    with GeneratedServer() as server:
        manifest = relocated(yaml.safe_load(file.read_text()), server.url)
        read = read_manifest(json.dumps(manifest), Path("manifest.json"), Findings())
        server.serve(read)
        yield server, manifest, example_config(manifest.get("spec"), server.url), read


def by_ours(file: Path) -> tuple[Read, dict[str, set[str]]]:
    """What ours reads, and stream -> fields that the report says are left out, as the times of the read.

    Raises UnreadableDocument if no stream is carried.
    """
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
        names = {one.name: one.specified_name or one.name for one in platform.resources}
        left_out: dict[str, set[str]] = {}
        for finding in found.findings:
            if (field := _LEFT_OUT.match(finding.why)) and finding.resource in names:
                left_out.setdefault(names[finding.resource], set()).add(field[1])
        return Read(_our_rows(platform), _requests(server)), left_out


def _our_rows(platform: Platform) -> dict[str, list[Record] | str]:
    rows: dict[str, list[Record] | str] = {}
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
            rows[name] = [{key: value for key, value in record.items() if key not in own} for record in records]
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
        rows: dict[str, list[Record] | str] = dict.fromkeys(streams, str(answer["error"])[:200])
        if answer["error"] is None:
            rows |= {name: answer["rows"][name] for name in streams}
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
        text = json.dumps([one.path, one.query, one.body], sort_keys=True)
        found.setdefault(one.stream, set()).add(_without_now(text.replace(server.url, "URL")))
    return found


def _comparable(records: list[Record], but: Collection[str]) -> list[str]:
    """Rows without what is null, ours, or in `but`, in one order."""
    kept = [
        {
            key: value
            for key, value in one.items()
            # The CDK loads a template that fails as it stands.
            if value is not None and not key.startswith("_") and key not in but and not str(value).startswith("{{")
        }
        for one in records
    ]
    return sorted(_without_now(_PORT.sub("URL", json.dumps(one, sort_keys=True, default=str))) for one in kept)


def _without_now(text: str) -> str:
    return _NOW.sub("NOW", text)


def main() -> None:
    total: Counter[str] = Counter()
    for file in map(Path, sys.argv[1:]):
        try:
            ours, left_out = by_ours(file)
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
            but = left_out.get(name, set())
            is_equal = not isinstance(rows, str) and _comparable(rows, but) == _comparable(other, but)
            total["rows equal" if is_equal else "rows not equal"] += 1
            if not is_equal:
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
whole are not compared, and fields that the report names as left out, since they are the time of the read. Of a
child of two lists of which one is the other's child (items of an event of an organizer) the CDK asks for every pair,
ours for the pairs that there are. A template that fails is null here, and its own text for the CDK: that counts as
equal.

| | |
|---|---:|
{chr(10).join(f"| {name} | {count:,} |" for name, count in total.items())}
"""
    (HERE / "PUBLISHED_ROWS.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
