"""Compares what we make of manifests' references, types and parameters with what the CDK makes of them.

    python -m tests.importing.manifest.against_cdk .tools/airbyte-cdk/bin/python tests/importing/manifests/*.yaml

No test: the CDK is in an environment of its own. Prints each difference, and exits with 1 if there is one. What legacy
words become is no difference: the CDK's component is settled, too (importing/manifest/legacy.py). Expressions are
compared where they need nothing but parameters. One difference is known: a parameter that is false or empty is lost in
the CDK to components behind a field of its name.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from platform_assets.importing.findings import Findings
from platform_assets.importing.manifest.expressions import has_template
from platform_assets.importing.manifest.legacy import settled
from platform_assets.importing.manifest.reading import read_manifest
from platform_assets.importing.manifest.vocabulary import FIELDS

# Runs in the CDK's environment: streams as its own source has them, with the parameters put in their places.
THEIRS = """
import json, sys, yaml
from jinja2 import meta
from airbyte_cdk.sources.declarative.interpolation.jinja import JinjaInterpolation, _ENVIRONMENT
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import ManifestComponentTransformer
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

def rendered(value, parameters):
    if isinstance(value, str):
        if "parameters" not in value or meta.find_undeclared_variables(_ENVIRONMENT.parse(value)) != {"parameters"}:
            return value
        return JinjaInterpolation().eval(value, {}, parameters=parameters, default="")
    if isinstance(value, list):
        return [rendered(one, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    own = value.get("$parameters", parameters)
    return {rendered(key, own): one if key == "schema" else rendered(one, own)
            for key, one in value.items() if key != "$parameters"}

def streams(path):
    with open(path) as file:
        manifest = yaml.load(file, Loader=yaml.SafeLoader)
    manifest.setdefault("type", "DeclarativeSource")
    whole = ManifestComponentTransformer().propagate_types_and_parameters(
        "", ManifestReferenceResolver().preprocess_manifest(manifest), {})
    found = []
    for one in whole.get("streams", []):
        found += one["streams"] if one.get("type") == "ConditionalStreams" else [one]
    if whole.get("dynamic_streams"):
        source = ConcurrentDeclarativeSource(source_config=manifest, config={}, catalog=None, state=None)
        found += source.dynamic_streams
    return [rendered(one, {}) for one in found]

found = {}
for path in sys.argv[1:]:
    try:
        found[path] = streams(path)
    except Exception as error:
        found[path] = f"{type(error).__name__}: {error}"[:500]
print(json.dumps(found, default=str))
"""
# What is not as it was written, and is looked at by tests of its own.
_OURS_ONLY = frozenset({"schema_loader"})


def main(python: str, files: list[str]) -> int:
    """Print what differs in each file; 1 if anything does."""
    done = subprocess.run([python, "-W", "ignore", "-c", THEIRS, *files], capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    differences = 0
    for name in files:
        found = list(_of_file(Path(name), theirs[name]))
        differences += len(found)
        for line in found:
            print(f"{name}: {line}")
    streams = [len(one) for one in theirs.values() if not isinstance(one, str)]
    print(
        f"{len(files)} manifests, {len(streams)} read by the CDK with {sum(streams)} streams; {differences} differences"
    )
    return 1 if differences else 0


def _of_file(path: Path, theirs: Any) -> Iterator[str]:
    try:
        ours = {one.name: one.component for one in read_manifest(path.read_text(), path, Findings()).streams}
    except Exception as error:
        if not isinstance(theirs, str):
            yield f"read by the CDK only: {error}"
        return
    if isinstance(theirs, str):
        yield f"read by us only: {theirs}"
        return
    for stream in theirs:
        component = _without_others(_settled(stream))
        name = component.get("name")
        if component.get("type") == "StateDelegatingStream":
            component = {**component["incremental_stream"], "name": name}
        if name not in ours:
            yield f"{name}: is not there"
            continue
        yield from _differences(component, _without_others(ours[name]), str(name))


def _settled(value: Any) -> Any:
    if isinstance(value, list):
        return [_settled(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return settled({key: one if key == "schema" else _settled(one) for key, one in value.items()})


def _without_others(value: Any) -> Any:
    """Without what no component of that type has: the CDK puts parameters into all of them."""
    if isinstance(value, list):
        return [_without_others(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("type")
    known = FIELDS.get(kind) if isinstance(kind, str) else None
    return {
        key: _without_others(one)
        for key, one in value.items()
        if key not in _OURS_ONLY and (known is None or key in known or key == "type")
    }


def _differences(theirs: Any, ours: Any, where: str) -> Iterator[str]:
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for key in {**theirs, **ours}:
            yield from _differences(theirs.get(key), ours.get(key), f"{where}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for place, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(*pair, f"{where}[{place}]")
    elif isinstance(theirs, str) and has_template(theirs):
        # Theirs still names its parameters beside other names.
        if not isinstance(ours, str) or ("parameters" not in theirs and theirs != ours):
            yield f"{where}: {theirs!r} is {ours!r}"
    elif theirs != ours and str(theirs) != str(ours):
        yield f"{where}: {theirs!r} is {ours!r}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
