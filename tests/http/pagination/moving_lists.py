"""A list that changes while it is read, and whether a read of it has every row that stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from platform_assets.declarations import Paginator
from platform_assets.extraction.reading import MAX_REREADS
from platform_assets.http.answer import Answer
from platform_assets.http.errors import AnswerError
from platform_assets.http.pagination.pager import pager
from platform_assets.http.pagination.pages import pages
from platform_assets.http.pagination.stated_ends import TotalProof

Op = tuple[str, float]
NO_CAP = 10**9


@dataclass
class MovingList:
    """A server's list. `changes[n]` happen before its nth request; from then on `caps[n]` is its page limit."""

    rows: list[int]
    changes: Mapping[int, list[Op]] = field(default_factory=dict)
    caps: Mapping[int, int] = field(default_factory=dict)
    obeys_size: bool = True
    requests: list[dict[str, Any]] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    inserted: int = 0
    cap: int = NO_CAP
    most_requests: int = 3000

    def page(self, params: Mapping[str, Any]) -> Answer:
        number = len(self.requests)
        assert number < self.most_requests, "the read does not end"
        self.requests.append(dict(params))
        self.cap = self.caps.get(number, self.cap)
        for change in self.changes.get(number, []):
            self.apply(*change)
        asked = int(params.get("limit") or params.get("per_page") or 0)
        size = min(asked, self.cap) if self.obeys_size else self.cap
        start = (int(params["page"]) - 1) * size if "page" in params else int(params["start"])
        found = [{"id": row, "clock": number} for row in self.rows[start : start + size]]
        more = start + size < len(self.rows)
        paging = {"start": start, "limit": size, "more": more, **({"next": start + size} if more else {})}
        return Answer({"data": found, "paging": paging}, {})

    def apply(self, kind: str, where: float) -> None:
        at = int(where * len(self.rows))
        if kind == "insert":
            self.inserted += 1
            self.rows.insert(at, 10_000 + self.inserted)
        elif kind == "remove" and self.rows:
            self.removed.add(self.rows.pop(at))
        elif kind == "to the front" and self.rows:
            self.rows.insert(0, self.rows.pop(at))
        elif kind == "to the end" and self.rows:
            self.rows.append(self.rows.pop(at))


def read(
    paginator: Paginator, served: MovingList, page_size: int | None = None, proof: TotalProof | None = None
) -> set[int]:
    """The ids that are read, as the extraction does it: a blind pass is repeated until it finds nothing new."""
    found, again = one_pass(paginator, served, page_size, proof)
    for _ in range(MAX_REREADS if again else 0):
        more, _ = one_pass(paginator, served, page_size, proof)
        if more <= found:
            return found
        found |= more
    if again:
        raise AnswerError("the list kept changing")
    return found


def one_pass(
    paginator: Paginator, served: MovingList, page_size: int | None, proof: TotalProof | None = None
) -> tuple[set[int], bool]:
    """The ids of one pass, records identified by their key, and whether it was blind."""
    state = pager(paginator, page_size, proof)
    by_id = pages(served.page, state, {}, lambda body: body["data"], lambda items: [hash(one["id"]) for one in items])
    return {record["id"] for page in by_id for record in page}, state.blind


def complete_or_refused(paginator: Paginator, served: MovingList, proof: TotalProof | None = None) -> None:
    stays = set(served.rows)
    try:
        found = read(paginator, served, proof=proof)
    except AnswerError:
        return
    assert stays - served.removed <= found, (sorted(stays - served.removed - found), served.requests)


additions_and_removals = st.tuples(st.sampled_from(["insert", "remove"]), st.floats(0, 0.999))
moves = st.tuples(st.sampled_from(["insert", "remove", "to the front", "to the end"]), st.floats(0, 0.999))
several = st.dictionaries(st.integers(1, 25), st.lists(additions_and_removals, min_size=1, max_size=4), max_size=8)
one_each = st.dictionaries(st.integers(1, 25), st.lists(moves, min_size=1, max_size=1), max_size=8)
