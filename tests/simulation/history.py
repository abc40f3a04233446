"""Histories: what happens to an API and its readers, generated from a seed.

A step refers to rows and parents by number among those that exist when it runs, so that a history still runs if steps
are left out.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.contract import PLATFORMS, Resource, resources_of
from tests.simulation.server import Spelling

ODD_VALUES: dict[str, tuple[Any, ...]] = {
    "int": ("n/a", True, 2.5, "007", "0x1f", "1_000", 2**70, 3.0),
    "bool": (2, 0.5, "yes", 1, "true"),
    "float": (2**53 + 1, "1e400", "12,5", True, 7),
    "text": (5, 0.5, True, {"a": [1]}, "", "\0", "null"),
    "time": (1700000000, "2026-13-45T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59-08:00", ""),
    "date": ("2026-05-01T23:30:00-05:00", 1700000000, "2026-05-01T00:00:00Z", "soon"),
    "json": ("a text", 5, True, [], {}),
    "list": ("a text", 5, {}, []),
}


# Changes that do not apply to a single object.
ROWS = ("insert", "remove", "remove_many", "revive")


@dataclass(frozen=True)
class Step:
    """One thing that happens. `do` names a method of play.Play; `to` is the resource."""

    do: str
    to: str = ""
    row: int = 0
    parent: int = 0
    what: Any = None

    def __str__(self) -> str:
        nothing = Step(self.do)
        given = {name: value for name, value in vars(self).items() if value != getattr(nothing, name)}
        return f"{self.do}({', '.join(f'{name}={value!r}' for name, value in given.items())})"


@dataclass(frozen=True)
class Faulty:
    """A fault during one sync; `parent` is the number of a parent, None for all of them."""

    fault: str
    to: str
    parent: int | None = None
    page: int = 0
    times: int | None = None


@dataclass(frozen=True)
class Sync:
    """One sync, or two at once.

    during: steps to do before the n-th request for a resource. kill: the share of the previous sync's requests after
    which to kill, and further milliseconds; a share above 1 waits for silence. concurrent: hold the first sync at the
    n-th request for a resource, do the steps, and run another sync completely.
    """

    faults: tuple[Faulty, ...] = ()
    during: tuple[tuple[str, int, Step], ...] = ()
    kill: tuple[float, int] | None = None
    concurrent: tuple[str, int, tuple[Step, ...]] | None = None
    full_refresh: bool = False

    @property
    def undisturbed(self) -> bool:
        return not (self.faults or self.during or self.kill or self.concurrent)

    def __str__(self) -> str:
        given = [f"{name}={_text(value)}" for name, value in vars(self).items() if value]
        return f"sync({', '.join(given)})"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return str(value)


@dataclass
class History:
    """The setting and the steps. size: the reader's page size; page: the server's default page size."""

    seed: int
    platform: str
    resources: tuple[str, ...]
    size: int
    page: int
    rows: int
    steps: list[Step | Sync] = field(default_factory=list)


def make(seed: int, rounds: int | None = None) -> History:
    """The history of a seed."""
    return _Maker(seed).history(rounds)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.platform = PLATFORMS[seed % len(PLATFORMS)]
        self.resources = self._choose()
        self.names = [found.name for found in self.resources]
        self.future = self.rng.random() < 0.4
        self.backed_up: set[str] = set()

    def _choose(self) -> list[Resource]:
        every = resources_of(self.platform)
        chosen = {found.name for found in self.rng.sample(every, min(len(every), self.rng.randint(3, 5)))}
        children = [found for found in every if found.parent]
        if children and not chosen & {child.name for child in children}:
            chosen.add(self.rng.choice(children).name)
        chosen |= {found.parent.resource for found in every if found.name in chosen and found.parent}
        return [found for found in every if found.name in chosen]

    def history(self, rounds: int | None) -> History:
        rng = self.rng
        size = rng.choice((2, 3, 3, 4, 5))
        found = History(
            seed=self.seed,
            platform=self.platform,
            resources=tuple(self.names),
            size=size,
            page=rng.choice((max(1, size - 1), size, size * 2)) if self.platform != "error_tracking" else size,
            rows=rng.choice((0, 2, size, size + 1, 2 * size, 2 * size + 1, 3 * size + 1)),
        )
        for _ in range(rounds or rng.randint(6, 10)):
            found.steps += [self._change() for _ in range(rng.choice((0, 1, 2, 4, 8, 16, 24)))]
            if rng.random() < 0.7:
                found.steps.append(Step("wait", what=rng.choice((30, 600, 7200, 86400, 5 * 86400, 20 * 86400))))
            found.steps.append(self._sync())
        return found

    # Changes

    def _change(self, plain: bool = False) -> Step:
        rng = self.rng
        kinds = {"insert": 5, "edit": 6, "remove": 4, "move": 2, "restamp": 2, "revive": 1}
        if not plain:
            kinds |= {
                "share": 1,
                "rename": 1,
                "reuse_slug": 1,
                "lose_slug": 1,
                "odd_value": 2,
                "new_field": 1,
                "collide": 1,
                "spell": 1,
                "reorder": 1,
                "remove_many": 1,
                "empty_table": 1,
                "drop_table": 0.5,
                "back_up": 1,
                "restore": 1,
                "start_date": 0.3,
                "page_size": 0.5,
            }
        do = rng.choices(list(kinds), list(kinds.values()))[0]
        possible = [resource for resource in self.resources if self._applies(do, resource)]
        do, resource = (do, rng.choice(possible)) if possible else ("edit", rng.choice(self.resources))
        if do == "back_up":
            self.backed_up.add(resource.name)
        step = Step(do, resource.name, rng.randrange(1000), rng.randrange(1000))
        return self._with_detail(step, resource)

    def _applies(self, do: str, resource: Resource) -> bool:
        """Whether a kind of change applies to a resource."""
        is_list = resource.paging != "object"
        if do in ("rename", "reuse_slug", "lose_slug"):
            return any(child.parent and resource.name == child.parent.resource for child in self._slugged)
        if do in ("move", "share"):
            return is_list and resource.parent is not None and resource.edits_seen
        if do in ("edit", "odd_value", "new_field", "collide"):
            return resource.edits_seen
        if do == "restamp":
            return resource.cursor is not None and resource.edits_seen
        if do == "spell":
            return resource.key_kind == "int"
        return resource.name in self.backed_up if do == "restore" else is_list or do not in ROWS

    @property
    def _slugged(self) -> list[Resource]:
        return [found for found in resources_of(self.platform) if found.parent and "slug" in found.parent.fields]

    def _with_detail(self, step: Step, resource: Resource) -> Step:
        rng = self.rng
        times = ["ancient", "null", *(["future"] if self.future else [])]
        what: Any = None
        if step.do == "insert":
            what = rng.choice(("now", "now", "now", "late", "late", "null", "ancient", *times[2:]))
        elif step.do == "restamp":
            what = rng.choice((*times, "now"))
        elif step.do == "odd_value":
            spec = rng.choice(resource.fields)
            title, kind = spec.split(":")
            what = (title, rng.choice(ODD_VALUES[kind]))
        elif step.do == "new_field":
            what = (rng.choice(("extra", "newField", "x.y")), rng.choice((1, "text", True, 0.5, [1], {"a": 1})))
        elif step.do == "collide":
            what = rng.randrange(2)
        elif step.do == "spell":
            what = rng.choice((*Spelling.KINDS, *Spelling.INVALID, None, None))
        elif step.do == "start_date":
            what = rng.choice((10, 100, None))
        elif step.do == "page_size":
            what = rng.choice((2, 3, 5, 7))
        return Step(step.do, step.to, step.row, step.parent, what)

    # Syncs

    def _sync(self) -> Sync:
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            return Sync(full_refresh=rng.random() < 0.1)
        if kind < 0.6:
            return Sync(faults=tuple(self._fault() for _ in range(rng.choice((1, 1, 2, 3)))))
        if kind < 0.8:
            return Sync(during=self._during(), faults=(self._fault(),) if rng.random() < 0.2 else ())
        if kind < 0.9:
            kill = (rng.choice((rng.random(), rng.random(), 2.0)), rng.choice((0, 20, 60, 120, 200, 300)))
            return Sync(kill=kill, during=self._during() if rng.random() < 0.3 else ())
        resource = rng.choice(self.resources)
        changes = tuple(self._change(plain=True) for _ in range(rng.randint(1, 4)))
        return Sync(concurrent=(resource.name, rng.choice((1, 1, 2, 3)), changes))

    def _during(self) -> tuple[tuple[str, int, Step], ...]:
        rng = self.rng
        return tuple(
            (rng.choice(self.names), rng.choice((1, 2, 2, 3, 4)), self._change(plain=True))
            for _ in range(rng.choice((1, 1, 2, 3, 6)))
        )

    def _fault(self) -> Faulty:
        rng = self.rng
        resource = rng.choice(self.resources)
        possible = ["401", "403", "404", "429", "500", "503", "cut", "half_json", "error_beside_data", "repeated_key"]
        if resource.paging != "object":
            if not resource.due and not (resource.filter and self.future):
                possible.append("empty")
            if resource.paging in ("number", "skip", "start"):
                possible += ["forget_query", "lower_cap", "ignore_offset"] * 2
            if resource.paging == "link":
                possible += ["no_link", "forget_query", "ignore_offset"] * 2
            if resource.paging == "start":
                possible += ["more_without_next"] * 2
        fault = rng.choice(possible)
        return Faulty(
            fault,
            resource.name,
            rng.randrange(100) if resource.parent and rng.random() < 0.6 else None,
            # By contract a list whose first page has no Link header ends there.
            rng.choice((1, 1, 1, 2) if fault == "no_link" else (0, 0, 1, 2)),
            rng.choice((1, None)),
        )


def replay(history: History, kept: Sequence[int] | None = None, warehouse: str = "duckdb") -> str:
    """The command that replays it."""
    where = "" if warehouse == "duckdb" else f" --warehouse {warehouse}"
    steps = "" if kept is None else f" --keep {','.join(map(str, kept)) or 'none'}"
    return f".venv/bin/python -m tests.simulation --seed {history.seed}{steps}{where}"
