"""How much of published connectors' manifests is carried. Writes benchmarks/PUBLISHED.md.

Give it a folder with wheels of connectors that have a `manifest.yaml`, as PyPI has a few hundred of them:

    pip download --no-deps --dest wheels airbyte-source-sentry airbyte-source-pipedrive ...
    python -m benchmarks.published wheels

Nothing of them is run, nor kept.
"""

import re
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.fast_path import HERE
from platform_assets.importing.findings import Findings, Severity, UnreadableDocument
from platform_assets.importing.manifest.converting import import_manifest
from platform_assets.importing.manifest.reading import read_manifest

_WHOLE = "the whole resource"
_MOST_REASONS = 15


@dataclass(frozen=True)
class Tried:
    """A manifest: its streams, those that are carried, why the others are not, and whether anything is left out."""

    streams: int
    carried: int
    reasons: Counter[str]
    is_whole: bool


def manifests_in(folder: Path) -> Iterator[Path]:
    """The manifest of each wheel in a folder, with the files beside it, in a folder that is removed afterwards."""
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed, tempfile.TemporaryDirectory() as unpacked:
            wanted = [name for name in packed.namelist() if name.endswith((".yaml", ".yml", ".json"))]
            found = next((name for name in wanted if Path(name).stem == "manifest"), None)
            if found is not None:
                packed.extractall(unpacked, wanted)
                yield Path(unpacked) / found


def tried(manifest: Path) -> Tried:
    findings = Findings()
    streams, kept = 0, set[str]()
    try:
        read = read_manifest(manifest.read_text(), manifest, findings)
        streams = len(read.streams)
        platform = import_manifest(read, "shop", findings).platform
        kept = {one.specified_name or one.name for one in platform.resources}
        carried = sum(one.name in kept for one in read.streams)
    except UnreadableDocument:
        carried = 0
    left_out = [one for one in findings.all() if one.severity is Severity.NOT_CARRIED]
    reasons = Counter(_general(one.why) for one in left_out if one.what == _WHOLE)
    return Tried(streams, carried, reasons, streams > 0 and carried == streams and not left_out)


def _general(why: str) -> str:
    """A reason without the names in it."""
    return re.sub(r"there are .*", "...", re.sub(r"`[^`]*`|'[^']*'", "...", why))[:110]


def report(results: list[Tried]) -> str:
    streams, carried = sum(one.streams for one in results), sum(one.carried for one in results)
    every = sum(one.streams > 0 and one.carried == one.streams for one in results)
    whole = sum(one.is_whole for one in results)
    reasons = sum((one.reasons for one in results), Counter[str]())
    lines = [
        "# Published manifests",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}: {len(results)} manifests of connectors that PyPI has, {streams:,} streams."
        " These are the ones that were published as Python packages, and so the ones that have Python classes of their"
        " own; connectors that are a manifest and nothing else are not among them.",
        "",
        f"- Streams carried: {carried:,}, {carried / streams:.0%}.",
        f"- Manifests whose streams are all carried: {every}, {every / len(results):.0%}; with nothing at all left out:"
        f" {whole}, {whole / len(results):.0%}.",
        "",
        "| streams not carried | why |",
        "|---:|---|",
        *(f"| {count} | {why} |" for why, count in reasons.most_common(_MOST_REASONS)),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    text = report([tried(one) for one in manifests_in(Path(sys.argv[1]))])
    (HERE / "PUBLISHED.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
