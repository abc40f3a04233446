"""What the UI asks and does, through the webserver's GraphQL endpoint."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.request import Request, urlopen

SELECTOR = {"repositoryLocationName": "platform_assets", "repositoryName": "__repository__"}

_SENSORS = """query($at: RepositorySelector!) {
  sensorsOrError(repositorySelector: $at) { ... on Sensors { results { sensorState { id } } } } }"""
_STOP = """mutation($id: String!) { stopSensor(id: $id) { __typename ... on PythonError { message } } }"""
_RUN = """mutation($run: ExecutionParams!) { launchRun(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
_BACKFILL = """mutation($backfill: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $backfill) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""


class Webserver:
    """A client of one webserver."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/graphql"

    def stop_sensors(self) -> None:
        """So that nothing but the test requests runs."""
        for sensor in self._ask(_SENSORS, at=SELECTOR)["sensorsOrError"]["results"]:
            stopped = self._ask(_STOP, id=sensor["sensorState"]["id"])["stopSensor"]
            assert stopped["__typename"] == "StopSensorMutationResult", stopped

    def launch(self, job: str, assets: Sequence[str], config: Mapping[str, Any] | None = None) -> str:
        """Ask for a run of some assets of a job; its id."""
        selection = [{"path": asset.split("/")} for asset in assets]
        selector = {**SELECTOR, "jobName": job, "assetSelection": selection, "assetCheckSelection": []}
        launched = self._ask(_RUN, run={"selector": selector, "runConfigData": config or {}})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def backfill(self, assets: Sequence[str], partitions: Sequence[str]) -> str:
        """Ask for a backfill; its id."""
        selection = [{"path": asset.split("/")} for asset in assets]
        given = {"assetSelection": selection, "partitionNames": list(partitions)}
        launched = self._ask(_BACKFILL, backfill=given)["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return launched["backfillId"]

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(self._url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]
