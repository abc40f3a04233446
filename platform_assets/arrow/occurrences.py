"""Which of several occurrences of a primary key is loaded: pages shift during a read, and parents share records."""

from collections.abc import Sequence

import numpy as np


def last_occurrences(keys: np.ndarray) -> np.ndarray:
    """Boolean mask of the last occurrence of each key."""
    last = np.zeros(len(keys), bool)
    if len(keys):
        _, first_in_reverse = np.unique(keys[::-1], return_index=True)
        last[len(keys) - 1 - first_in_reverse] = True
    return last


def chosen_occurrences(keys: np.ndarray, ranks: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Boolean mask of one occurrence of each key: the last one of the parent that wins.

    The winner is a parent whose last occurrence is equal to a row in the warehouse, else the one of the smallest rank:
    so it does not depend on which parent was read first.

    Args:
        ranks: each record's parent, as `parent_ranks` numbers them.
        known: which records are equal to a row in the warehouse.
    """
    order = np.lexsort((np.arange(len(keys)), ranks, keys))
    sorted_keys, sorted_ranks = keys[order], ranks[order]
    ends = np.append((sorted_keys[1:] != sorted_keys[:-1]) | (sorted_ranks[1:] != sorted_ranks[:-1]), True)
    last = order[ends]
    best = last[np.lexsort((ranks[last], ~known[last], keys[last]))]
    chosen = np.zeros(len(keys), bool)
    chosen[best[np.append(True, keys[best][1:] != keys[best][:-1])]] = True
    return chosen


def parent_ranks(parents: Sequence[tuple[str, int]]) -> np.ndarray:
    """The place of each record's parent among all parents in the order of their keys.

    Args:
        parents: a parent's key and how many records it has, in reading order.
    """
    places = {parent: place for place, parent in enumerate(sorted({parent for parent, _ in parents}))}
    return np.repeat(np.array([places[parent] for parent, _ in parents], np.int32), [records for _, records in parents])
