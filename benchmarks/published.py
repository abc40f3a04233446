"""How much of published connectors' manifests is carried. Writes benchmarks/PUBLISHED.md.

Give it a folder with wheels of connectors that have a `manifest.yaml`, as PyPI has a few hundred of them, and one with
manifests of connectors that are nothing else, from the repository of their maker:

    pip download --no-deps --dest wheels airbyte-source-sentry airbyte-source-pipedrive ...
    python -m benchmarks.published wheels manifests

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
    """The manifests in a folder: YAML files, and those of wheels, with the files beside them until the next one."""
    yield from sorted(folder.glob("*.yaml"))
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


def report(wheels: list[Tried], manifests: list[Tried]) -> str:
    rows = {
        "published as Python packages, from PyPI: those that have Python classes of their own": wheels,
        "nothing but a manifest, chosen by chance": manifests,
        "both": [*wheels, *manifests],
    }
    reasons = sum((one.reasons for one in rows["both"]), Counter[str]())
    lines = [
        "# Published manifests",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}. Not carried are streams whose rows depend on Python, which is never run.",
        "",
        "| connectors | manifests | streams | streams carried | with all streams | with nothing left out |",
        "|---|---:|---:|---:|---:|---:|",
        *(_row(title, results) for title, results in rows.items() if results),
        "",
        "| streams not carried | why |",
        "|---:|---|",
        *(f"| {count} | {why} |" for why, count in reasons.most_common(_MOST_REASONS)),
    ]
    return "\n".join(lines) + "\n"


def _row(title: str, results: list[Tried]) -> str:
    streams, carried = sum(one.streams for one in results), sum(one.carried for one in results)
    every = sum(one.streams > 0 and one.carried == one.streams for one in results)
    whole = sum(one.is_whole for one in results)
    shares = (
        f"{count:,} ({count / of:.0%})"
        for count, of in ((carried, streams), *((n, len(results)) for n in (every, whole)))
    )
    return f"| {title} | {len(results)} | {streams:,} | {' | '.join(shares)} |"


def main() -> None:
    wheels, manifests = ([tried(one) for one in manifests_in(Path(folder))] for folder in sys.argv[1:3])
    text = report(wheels, manifests)
    (HERE / "PUBLISHED.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
