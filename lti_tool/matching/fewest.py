"""The first two aims: fewest left, then the least fit as great as possible; each with the barrier that proves it."""

from collections.abc import Callable

import numpy as np

from lti_tool.matching.alternating import ALONE, exchange, grow
from lti_tool.matching.certificate import Barrier
from lti_tool.matching.graph import Edges, Graph, components
from lti_tool.matching.problem import Flags, Ints

Tell = Callable[[str, float], None]


def fewest_left(
    graph: Graph, pool: Edges, mate: list[int], allowed: int | None = None, tell: Callable[[], None] = lambda: None
) -> tuple[list[int], Barrier | None, Edges]:
    """Pairs that leave as few people as possible, begun from those in `mate`.

    `pool` are the pairs to begin with; those that matter are added when the proof fails without them. With `allowed` it
    stops as soon as no more than that many are left, or it is proven that more must be. Comes back with the partners
    (ALONE: none), the barrier that proves more must be left than allowed (without `allowed`: than the parity of their
    number tells, if more are), and the grown pool.
    """
    random = np.random.default_rng(graph.size)
    goal = graph.size % 2 if allowed is None else allowed
    mate = mate.copy()
    while True:
        near = graph.neighbours(pool)
        _pair_off(near, mate)
        inner: set[int] = set()
        outer: set[int] = set()
        dead: set[int] = set()
        stuck = 0
        for person in [each for each in range(graph.size) if mate[each] == ALONE]:
            if mate[person] == ALONE:
                tell()
                tree = grow(person, mate, near, dead)
                if tree.end != ALONE:
                    exchange(tree, mate)
                    continue
                inner |= tree.inner
                outer |= tree.outer
                dead |= tree.inner | tree.outer
                stuck += 1
                if allowed is not None and stuck > goal:
                    break
        if stuck <= goal:
            return mate, None, pool
        label = np.full(graph.size, ALONE, dtype=np.int32)
        label[list(outer)] = 0
        among = pool[(label[graph.a[pool]] == 0) & (label[graph.b[pool]] == 0)]
        group = components(graph.size, graph.a[among], graph.b[among])
        label[list(outer)] = group[list(outer)] + 1
        label[~np.isin(np.arange(graph.size), list(dead))] = 0
        missing = _crossing(graph, label)
        if not len(missing):
            return mate, Barrier(tuple(sorted(inner)), _groups(label)), pool
        if len(missing) > 4 * graph.size:
            missing = random.choice(missing, 4 * graph.size, replace=False)
        pool = np.union1d(pool, missing)


def greatest_least(
    graph: Graph, pool: Edges, mate: list[int], tell: Tell
) -> tuple[list[int], int, Barrier | None, Edges]:
    """As many pairs as in `mate`, of which the one that fits least fits as well as possible.

    Comes back with the partners, that fit, the barrier among the pairs that fit better (None: no pair does), the pool.
    By halving: R. S. Garfinkel, An improved algorithm for the bottleneck assignment problem (1971).
    """
    left = mate.count(ALONE)
    best = np.zeros(graph.size, dtype=np.int32)
    np.maximum.at(best, graph.a, graph.fit)
    np.maximum.at(best, graph.b, graph.fit)
    levels = np.unique(graph.fit)
    cap = np.partition(best, left)[left]  # all but `left` people have a partner, each by their best fit or less
    low, high, above = 0, len(levels), None
    first = at = max(1, int(np.searchsorted(levels, cap)))  # the first try, as it is often the answer

    def say() -> None:
        tell("worst", 1 - (high - low) / (len(levels) + 1))

    while low < high - 1:
        allowed = graph.fit >= levels[at]
        narrow = graph.only(allowed)
        own = narrowed(pool, allowed)
        found, barrier, own = fewest_left(narrow, own, still(narrow, mate), left, say)
        pool = np.union1d(pool, np.flatnonzero(allowed)[own])
        if barrier is None:
            mate, low = found, at
            at = low + 1 if low == first else (low + high) // 2
        else:
            high, above = at, barrier
            at = (low + high) // 2
    return mate, int(levels[low]), above, pool


def finest(graph: Graph, mate: list[int]) -> Barrier:
    """The barrier whose odd groups are smallest, that of Gallai and Edmonds; `mate` has as many pairs as possible.

    T. Gallai, Maximale Systeme unabhängiger Kanten (1964).
    """
    near = graph.neighbours(np.arange(len(graph.a)))
    trees = [grow(each, mate, near) for each, partner in enumerate(mate) if partner == ALONE]
    outer = np.zeros(graph.size, dtype=np.bool_)
    inner: set[int] = set()
    for tree in trees:
        outer[list(tree.outer)] = True
        inner |= tree.inner
    among = outer[graph.a] & outer[graph.b]
    label = components(graph.size, graph.a[among], graph.b[among])
    groups: dict[int, list[int]] = {}
    for each in np.flatnonzero(outer).tolist():
        groups.setdefault(int(label[each]), []).append(each)
    apart = tuple(sorted(each for each in inner if not outer[each]))
    return Barrier(apart, tuple(tuple(group) for group in groups.values()))


def narrowed(pool: Edges, allowed: Flags) -> Edges:
    """The pairs of the pool that are allowed, by their places in the graph that has only those."""
    return (np.cumsum(allowed) - 1)[pool[allowed[pool]]]


def still(graph: Graph, mate: list[int]) -> list[int]:
    """The partners in those of the pairs that the graph has."""
    partner = np.array(mate, dtype=np.int32)
    kept = np.full(graph.size, ALONE, dtype=np.int32)
    there = partner[graph.a] == graph.b
    kept[graph.a[there]] = graph.b[there]
    kept[graph.b[there]] = graph.a[there]
    return kept.tolist()


def _pair_off(near: list[list[int]], mate: list[int]) -> None:
    """Pairs whom it can without exchanging any; who has the fewest possible partners comes first."""
    for person in sorted((each for each in range(len(mate)) if mate[each] == ALONE), key=lambda each: len(near[each])):
        if mate[person] == ALONE:
            free = [each for each in near[person] if mate[each] == ALONE]
            if free:
                other = min(free, key=lambda each: len(near[each]))
                mate[person], mate[other] = other, person


def _crossing(graph: Graph, label: Ints) -> Edges:
    """The pairs that a barrier must not have: from an odd group (label from 1) to another or to who is in none (0)."""
    a, b = label[graph.a], label[graph.b]
    return np.flatnonzero((a != b) & (np.minimum(a, b) >= 0))


def _groups(label: Ints) -> tuple[tuple[int, ...], ...]:
    """People by their label, of those with a label from 1."""
    order = np.argsort(label, kind="stable")
    order = order[np.searchsorted(label[order], 1) :]
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    return tuple(tuple(group.tolist()) for group in np.split(order, cuts)) if len(order) else ()
