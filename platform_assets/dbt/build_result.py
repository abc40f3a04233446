"""What a `dbt build` does and did, in lines for people: the node it works on, and afterwards what failed or warned.

dbt prints a line for each of its hundreds of models and tests; Dagster keeps them in the run's log. Whoever waits sees
how far it is, and whoever reads afterwards only what is wrong, with the reason first.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from platform_assets.counted import counted
from platform_assets.orchestration.failures import NEXT_STEP
from platform_assets.progress import current

log = logging.getLogger(__name__)

# Lines of a failure.
_LISTED = 20

_FAILED, _WARNED, _SKIPPED = ("error", "fail", "runtime error"), ("warn",), ("skipped",)


class _Result(NamedTuple):
    """What came of one model or test: its node in the manifest, dbt's status, and dbt's message."""

    node: Mapping[str, Any]
    status: str
    message: str
    failures: int | None


class BuildResult:
    """Follows the messages of one `dbt build` and says at its end what came of it.

    Args:
        manifest: of the dbt project.
        target: the folder that the build writes to.
    """

    def __init__(self, manifest: Mapping[str, Any], target: Path) -> None:
        self._manifest = manifest
        self._target = target
        self._done = 0
        self._errors: list[str] = []

    def follow(self, message: Mapping[str, Any]) -> None:
        """Report to whoever watches which model or test dbt begins or has ended."""
        info, data = message["info"], message["data"]
        if info["level"] == "error":
            self._errors.append(info["msg"])
        is_result = info["name"].startswith("Log") and info["name"].endswith("Result")
        self._done += is_result or info["name"] == "SkippingDetails"
        if "total" in data and "node_info" in data:
            current().dbt_node(self._done, data["total"], data["node_info"].get("node_name", ""))

    def log_warnings(self) -> None:
        """Log how many models and tests there were, and a line for each test that warned."""
        results = self._results()
        models = sum(result.node.get("resource_type") == "model" for result in results)
        warned = [result for result in results if result.status in _WARNED]
        tests = len(results) - models
        log.info("dbt: %s and %s, %d warned", counted(models, "model"), counted(tests, "test"), len(warned))
        for result in warned:
            log.warning("dbt warns: %s", _line(result))

    def failure(self) -> dg.Failure:
        """The failure of a build that ended with an error: what failed and why, line by line."""
        results = self._results()
        failed = [_line(result) for result in results if result.status in _FAILED]
        # dbt reads the whole project before it builds a part: without results, that was what failed.
        lines = (failed or [f"dbt: {reason_of(error)}" for error in self._errors[:1]] or ["dbt: failed"])[:_LISTED]
        if len(failed) > _LISTED:
            lines.append(f"dbt: {len(failed) - _LISTED} more failed")
        skipped = sum(result.status in _SKIPPED for result in results)
        if skipped:
            lines.append(f"dbt: skipped because of these: {skipped}")
        lines.append(
            f"{NEXT_STEP}mend the SQL or its data and sync again; {self._target / 'dbt.log'} has dbt's own words"
        )
        return dg.Failure("\n".join(lines), allow_retries=False)

    def _results(self) -> Sequence[_Result]:
        """Nothing if dbt ended before its first model."""
        try:
            found = json.loads((self._target / "run_results.json").read_text())["results"]
        except (OSError, ValueError):
            return []
        nodes = {**self._manifest["nodes"], **self._manifest.get("unit_tests", {})}
        return [
            _Result(
                nodes.get(one["unique_id"], {"name": one["unique_id"]}),
                one["status"],
                one["message"] or "",
                one["failures"],
            )
            for one in found
        ]


def reason_of(message: str) -> str:
    """The first line of a message of dbt that is not its heading, e.g. `Binder Error: no such column`."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    while len(lines) > 1 and _is_heading(lines[0]):
        lines.pop(0)
    return lines[0] if lines else "failed without a reason"


def _is_heading(line: str) -> bool:
    """Such as `Runtime Error in model x (models/x.sql)`, or `Encountered an error:`."""
    return " Error in " in line or line.endswith((" Error", ":"))


def _line(result: _Result) -> str:
    """E.g. `staging/stg_crm__deals.owner_id: 3 rows fail the test relationships`."""
    node, kind = result.node, result.node.get("resource_type")
    if kind == "test" and result.failures:
        fail = "fails" if result.failures == 1 else "fail"
        return f"{_tested(node)}: {counted(result.failures, 'row')} {fail} the test {_name_of_test(node)}"
    if kind == "test":
        return f"{_tested(node)}: the test {_name_of_test(node)}: {reason_of(result.message)}"
    if kind == "unit_test":
        return f"{node.get('model', '')}: the unit test {node['name']}: {' '.join(_table(result.message))}"
    return f"{'/'.join(filter(None, (node.get('schema'), node['name'])))}: {reason_of(result.message)}"


def _tested(node: Mapping[str, Any]) -> str:
    """The column, or the model, that a test is about."""
    model = (node.get("attached_node") or "").split(".")[-1] or node["name"]
    return f"{model}.{node['column_name']}" if node.get("column_name") else model


def _name_of_test(node: Mapping[str, Any]) -> str:
    return (node.get("test_metadata") or {}).get("name") or node["name"]


def _table(message: str) -> Iterator[str]:
    """The first lines of what a unit test says differs; its heading says only that something does."""
    yield from [line.strip() for line in message.splitlines() if line.strip()][:3]
