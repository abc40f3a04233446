"""An API that makes reports on request: a job is created, goes through statuses, and leads to a file.

A test says which statuses each job goes through, what its rows are, and how its file is sent. The API wants its
credential; the files' server wants none, and a test may put it on another origin.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.http_server import HttpServer, Reply, Request

Row = dict[str, Any]
TOKEN = "t0ken"


@dataclass
class Job:
    """A job: what it was created with, the statuses that it still goes through, and what was asked for it."""

    number: int
    asked: Row
    statuses: list[str]
    polls: int = 0
    ended_by: list[str] = field(default_factory=list)


class ReportApi(HttpServer):
    """POST /reports creates a job, GET /reports/<n> tells its status, /files/<n> is its file.

    Attributes:
        histories: statuses of the jobs to come, the last of each stays; `["DONE"]` if there are none left.
        rows: a job's rows, by what it was created with.
        written: how rows become a file's reply.
        files: origin of the files; empty for this server.
        created: replaces the reply to a creation, for the first jobs.
    """

    def __init__(self, rows: Callable[[Row], list[Row]], written: Callable[[list[Row]], Reply]) -> None:
        super().__init__(self._answered)
        self.rows = rows
        self.written = written
        self.histories: list[list[str]] = []
        self.jobs: list[Job] = []
        self.files = ""
        self.created: list[Reply] = []

    def _answered(self, request: Request) -> Reply:
        place = request.path.strip("/").split("/")
        if place[0] != "files" and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Reply({"error": "who are you?"}, 401)
        match request.method, place:
            case "POST", ["reports"]:
                return self._create(json.loads(request.content or b"{}"))
            case "GET", ["reports", number]:
                return self._polled(self.jobs[int(number)])
            case "GET", ["reports", number, "files"]:
                return Reply({"parts": [{"url": self._address(int(number))}] * 2})
            case "POST", ["reports", number, "cancel"]:
                self.jobs[int(number)].ended_by.append("abort")
                return Reply(b"", 204)
            case "DELETE", ["reports", number]:
                self.jobs[int(number)].ended_by.append("delete")
                return Reply(b"", 204)
            case ("GET", ["files", number]):
                return self.file(int(number))
        return Reply({"error": f"no such path: {request.method} {request.path}"}, 404)

    def file(self, number: int) -> Reply:
        return self.written(self.rows(self.jobs[number].asked))

    def _create(self, asked: Row) -> Reply:
        if self.created:
            return self.created.pop(0)
        statuses = self.histories.pop(0) if self.histories else ["DONE"]
        self.jobs.append(Job(len(self.jobs), asked, list(statuses)))
        return Reply({"id": self.jobs[-1].number}, 202, {"Location": f"{self.url}/reports/{self.jobs[-1].number}"})

    def _polled(self, job: Job) -> Reply:
        job.polls += 1
        status = job.statuses.pop(0) if len(job.statuses) > 1 else job.statuses[0]
        return Reply({"report": {"status": status, "url": self._address(job.number) if status == "DONE" else None}})

    def _address(self, number: int) -> str:
        return f"{self.files or self.url}/files/{number}?X-Signature=sIgNaTuRe-0123456789-{number}"
