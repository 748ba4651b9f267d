"""Possible pairs as the search sees them: numbers from 0 within one part, one entry for each pair."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.problem import Flags, Ints, Problem

Edges = NDArray[np.int64]
"""Which pairs, by their place in the arrays of a graph."""


@dataclass(frozen=True, slots=True)
class Graph:
    """Possible pairs among `size` people; all arrays have shape (m,). Need not hang together."""

    size: int
    a: Ints
    b: Ints
    fit: Ints
    again: Flags

    def at_least(self, fit: int) -> "Graph":
        """Only the pairs with such a fit or a better one."""
        return self.only(self.fit >= fit)

    def only(self, kept: Flags) -> "Graph":
        """Only some of the pairs, among the same people."""
        if kept.all():
            return self
        return Graph(self.size, self.a[kept], self.b[kept], self.fit[kept], self.again[kept])

    def without(self, people: tuple[int, ...]) -> "Graph":
        """The same people by the same numbers, some of them in no pair: each of these counts as left."""
        gone = np.zeros(self.size, dtype=np.bool_)
        gone[list(people)] = True
        return self.only(~(gone[self.a] | gone[self.b]))

    def neighbours(self, edges: Edges) -> list[list[int]]:
        """For each person those they may go with by some of the pairs."""
        ends = np.concatenate((self.a[edges], self.b[edges]))
        others = np.concatenate((self.b[edges], self.a[edges]))
        order = np.argsort(ends, kind="stable")
        flat = others[order].tolist()
        stops = np.cumsum(np.bincount(ends, minlength=self.size)).tolist()
        return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def components(people: int, first: Ints, second: Ints) -> Ints:
    """For each person the smallest number among all they hang together with by possible pairs; shape (people,).

    Each round joins every root to a smaller one next to it and shortens the ways; the pairs that are settled drop out.
    """
    label = np.arange(people, dtype=np.int32)
    while True:
        a, b = label[first], label[second]
        apart = a != b
        if not apart.any():
            return label
        first, second = first[apart], second[apart]
        np.minimum.at(label, np.maximum(a[apart], b[apart]), np.minimum(a[apart], b[apart]))
        while (shorter := label[label]).tolist() != label.tolist():
            label = shorter


def parts(problem: Problem) -> Iterator[tuple[Ints, Graph]]:
    """Each component with a possible pair: its people, and its graph, in which number k is the k-th of them.

    The order of the people is dealt by the seed, and with it who wins where two answers are as good.
    """
    if not problem.pairs:
        return
    label = components(problem.people, problem.first, problem.second)
    order = np.random.default_rng(problem.seed).permutation(problem.people).astype(np.int32)
    members = order[np.argsort(label[order], kind="stable")]
    number = np.empty(problem.people, dtype=np.int32)
    starts = np.flatnonzero(np.diff(label[members], prepend=-1))
    stops = np.append(starts[1:], problem.people)
    for start, stop in zip(starts, stops, strict=True):
        number[members[start:stop]] = np.arange(stop - start, dtype=np.int32)
    by_part = np.argsort(label[problem.first], kind="stable") if len(starts) > 1 else np.arange(problem.pairs)
    roots = label[problem.first][by_part]
    for start, stop in zip(starts, stops, strict=True):
        if stop - start == 1:
            continue
        root = label[members[start]]
        edges = by_part[np.searchsorted(roots, root) : np.searchsorted(roots, root, side="right")]
        yield (
            members[start:stop],
            Graph(
                int(stop - start),
                number[problem.first[edges]],
                number[problem.second[edges]],
                problem.fit[edges],
                problem.again[edges],
            ),
        )


def best_of_each(graph: Graph, many: int, random: np.random.Generator) -> Edges:
    """For each person the pairs that fit best, up to `many`, ties by lot: a small set that mostly holds the answer."""
    if len(graph.a) <= many * graph.size:
        return np.arange(len(graph.a))
    key = graph.fit + random.random(len(graph.a), dtype=np.float32)
    if graph.size <= 8_000:
        # A table is quicker than sorting so many pairs: 25 million cells at 5,000 people, 100 MB.
        table = np.full((graph.size, graph.size), -1, dtype=np.int32)
        table[graph.a, graph.b] = table[graph.b, graph.a] = np.arange(len(graph.a), dtype=np.int32)
        chosen = []
        for row in table:
            edges = row[row >= 0]
            if len(edges) > many:
                edges = edges[np.argpartition(key[edges], -many)[-many:]]
            chosen.append(edges)
        return np.unique(np.concatenate(chosen)).astype(np.int64)
    ends = np.concatenate((graph.a, graph.b))
    order = np.lexsort((np.concatenate((-key, -key)), ends))
    sorted_ends = ends[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_ends, sorted_ends)
    return np.unique(order[rank < many] % len(graph.a))
