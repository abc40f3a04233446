"""Which parents of a child resource are to be read, and what is on record of them.

Up to some thousand parents (organizations, projects) are held in memory with their state. Parents that share bucket
partitions may be millions, of which few have changed: their rows and their state are read piece by piece, and of those
that are not due only hashes are kept, 16 bytes each.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from platform_assets.arrow.hashes import is_member
from platform_assets.arrow.keys import hash_keys
from platform_assets.configuration.platform_settings import Settings
from platform_assets.declarations import Buckets, Platform, Resource
from platform_assets.sync.context import Selection
from platform_assets.sync.known_rows import NO_HASHES
from platform_assets.sync.parents import KnownParent, find_parents, names_are_keys, parent_rows
from platform_assets.warehouse import Progress, Status
from platform_assets.warehouse.session import WarehouseSession

# So many parents of buckets are read in one round, what is left in the next ones: about a kilobyte of memory each.
PARENTS_A_ROUND = 100_000

# Rows of the parent's table that are compared with the state at once.
PIECE = 50_000


@dataclass(frozen=True)
class DueParents:
    """The parents of one resource, of which those that are not due are known by their keys only.

    Attributes:
        due: the parents to read in this round.
        postponed: keys of those that are due, but are left to another round.
        recorded: key -> what is on record; of all parents, or at least of those that are due.
        known: the keys of all parents in the warehouse.
        partitions: the partitions of all parents in the warehouse.
        incomplete: own keys of parents that lack a value that the path needs.
        others_ok: whether the last read of a parent that is not due now was a success.
    """

    due: list[KnownParent] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)
    recorded: Mapping[str, Progress] = field(default_factory=dict)
    known: Container[str] = frozenset()
    partitions: Collection[str] = frozenset()
    incomplete: list[str] = field(default_factory=list)
    others_ok: bool = False


def find_due(
    platform: Platform,
    resource: Resource,
    session: WarehouseSession,
    settings: Settings,
    selection: Selection,
    *,
    starts_anew: bool,
) -> DueParents:
    """The parents that a sync of `selection` reads.

    Those of the selected partitions, and of bucket partitions only those that are new, changed, or failed or refused
    when they were last read.

    Args:
        starts_anew: what is on record does not count.

    Raises AnswerError if two different parents would share one key.
    """
    wanted = _Wanted(resource, selection)
    if isinstance(resource.partition, Buckets) and names_are_keys(platform, resource):
        return _piece_by_piece(platform, resource, session, settings, wanted, starts_anew=starts_anew)
    parents = find_parents(platform, resource, session, settings)
    recorded = {parent: entry for (_, parent), entry in session.progress([resource.name]).items()}
    counting = {} if starts_anew else {known.parent.key: last_of(known, recorded) for known in parents.known}
    due = [
        known
        for known in parents.known
        if wanted.selects(known) and (wanted.is_any_due or is_due(known, counting.get(known.parent.key)))
    ]
    read_now = {known.parent.key for known in due}
    return DueParents(
        due=due,
        recorded=recorded,
        known=frozenset(known.parent.key for known in parents.known),
        partitions={known.partition for known in parents.known},
        incomplete=parents.incomplete,
        others_ok=any(
            entry is not None and entry.status is Status.OK and key not in read_now for key, entry in counting.items()
        ),
    )


def last_of(known: KnownParent, recorded: Mapping[str, Progress]) -> Progress | None:
    """What is on record of this very parent, and not of another one that had its name."""
    entry = recorded.get(known.parent.key)
    return entry if entry is not None and entry.is_of(known.id) else None


def is_due(known: KnownParent, last: Progress | None) -> bool:
    """Whether the parent is new or changed, or its last read failed or was skipped: refused is not done."""
    return last is None or last.status is not Status.OK or last.parent_cursor != known.version


class _Wanted:
    """What of a resource's parents a selection asks for."""

    def __init__(self, resource: Resource, selection: Selection) -> None:
        self._partitions = selection.partitions
        self._only = selection.parents
        if selection.left is not None:
            self._only = frozenset(selection.left[resource.name])
        # A parent that was asked for by its key is read in any case, and so is one with a partition of its own.
        self.is_any_due = (
            selection.full_refresh or self._only is not None or not isinstance(resource.partition, Buckets)
        )

    def selects(self, known: KnownParent) -> bool:
        return (self._partitions is None or known.partition in self._partitions) and (
            self._only is None or known.parent.key in self._only
        )


class HashedKeys(Container[str]):
    """A set of texts as sorted hashes, 8 bytes each.

    Args:
        pieces: hashes of the texts (`hash_keys`).
    """

    def __init__(self, pieces: Iterable[np.ndarray]) -> None:
        self._hashes = np.sort(np.concatenate([NO_HASHES, *pieces]))

    def __contains__(self, key: object) -> bool:
        return bool(is_member(hash_keys([key]), self._hashes)[0])


class Settled:
    """The parents whose last read was a success: hashes of name, version and own key at that time.

    Args:
        entries: (name, version, own key), piece by piece. Without an own key the name decides.
    """

    def __init__(self, entries: Iterable[list[tuple[str, str | None, str | None]]]) -> None:
        names, versions, ids = [NO_HASHES], [NO_HASHES], [NO_HASHES]
        for piece in entries:
            names.append(hash_keys(name for name, _, _ in piece))
            versions.append(hash_keys((name, version) for name, version, id in piece if id is None))
            ids.append(hash_keys(entry for entry in piece if entry[2] is not None))
        self._names, self._versions, self._ids = (np.sort(np.concatenate(one)) for one in (names, versions, ids))

    def is_settled(self, parents: list[KnownParent]) -> np.ndarray:
        """Boolean mask: of which parents that state still holds."""
        with_ids = hash_keys((known.parent.key, known.version, known.id) for known in parents)
        without = hash_keys((known.parent.key, known.version) for known in parents)
        return is_member(with_ids, self._ids) | is_member(without, self._versions)

    def was_ok(self, parents: list[KnownParent]) -> np.ndarray:
        """Boolean mask: which parents were ever settled, whatever they have become."""
        return is_member(hash_keys(known.parent.key for known in parents), self._names)


def _piece_by_piece(
    platform: Platform,
    resource: Resource,
    session: WarehouseSession,
    settings: Settings,
    wanted: _Wanted,
    *,
    starts_anew: bool,
) -> DueParents:
    settled = Settled(() if starts_anew else session.settled(resource.name))
    due: list[KnownParent] = []
    postponed: list[str] = []
    incomplete: list[str] = []
    partitions: set[str] = set()
    hashes: list[np.ndarray] = []
    others_ok = False
    for piece in _pieces(platform, resource, session, settings, incomplete):
        hashes.append(hash_keys(known.parent.key for known in piece))
        partitions.update(known.partition for known in piece)
        selected = np.fromiter(map(wanted.selects, piece), bool, len(piece))
        reads = selected if wanted.is_any_due else selected & ~settled.is_settled(piece)
        others_ok = others_ok or bool((settled.was_ok(piece) & ~reads).any())
        # Where nothing on record counts, what is left to another round would seem to be read by then.
        room = len(piece) if starts_anew else max(PARENTS_A_ROUND - len(due), 0)
        found = [piece[place] for place in np.flatnonzero(reads)]
        due += found[:room]
        postponed += [known.parent.key for known in found[room:]]
    recorded = session.progress_of(resource.name, {known.parent.key for known in due})
    return DueParents(due, postponed, recorded, HashedKeys(hashes), partitions, sorted(incomplete), others_ok)


def _pieces(
    platform: Platform, resource: Resource, session: WarehouseSession, settings: Settings, incomplete: list[str]
) -> Iterator[list[KnownParent]]:
    """The parents in lists of up to `PIECE`. Adds the keys of those that lack a value to `incomplete`."""
    piece: list[KnownParent] = []
    for row in parent_rows(platform, resource, session, settings):
        if row.known is None:
            incomplete.append(row.own_key)
            continue
        piece.append(row.known)
        if len(piece) == PIECE:
            yield piece
            piece = []
    if piece:
        yield piece
