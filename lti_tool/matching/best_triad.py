"""Exactly the best three together, where somebody would be left without a partner, with the proof.

Which three there can be follows from the barrier that proves how many are left: only three of one of its odd groups
leave fewer. How good it can be with them follows from the prices of the pairs alone: what the three are worth and what
all others pay. In the order of these bounds the rest is solved, until no bound is above the best found; each time its
prices, made enough for all, bound the other threes as well.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.alternating import ALONE
from lti_tool.matching.certificate import Barrier, Prices, Refusal, Three, Triad, even, unit
from lti_tool.matching.fewest import fewest_left, finest, still
from lti_tool.matching.graph import Edges, Graph, best_of_each
from lti_tool.matching.problem import Flags
from lti_tool.matching.total import Total, greatest_total
from lti_tool.matching.triads import triad_of_group
from lti_tool.matching.warm import Warm, dearness

Numbers = NDArray[np.int64]
MOST = 150
"""For so many threes the rest is solved; then the best so far stays, with the gap that is open. Each of these gives
prices that bound others, too: ten were enough in nearly all that was tried."""
MANY = 200_000
"""So many threes with bounds above the best are kept in mind at once."""
FIRST = 20
"""So many pairs for each person, the least dear, in which a good first three is looked for."""
FEW, EARLY = 20_000, 20
"""So many threes of those are kept in mind, and so many tried, before all are looked at: the better the best is by
then, the fewer are left to look at."""
CANDIDATES = 12
"""With how many pairs of each person the search for prices begins."""
SLOW = 10
"""How often it looks for odd sets where it begins from the beginning."""
CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class WithTriad:
    """The best triad of one graph and the pairs beside it, by the graph's numbers."""

    mate: list[int]
    """The partner of each; ALONE: of the triad, or left."""
    least: int
    """The least fit of a pair, those within the triad included."""
    prices: Prices
    """Of all pairs that fit so well."""
    triad: Triad


def best_triad(
    graph: Graph,
    mate: list[int],
    least: int,
    prices: Prices,
    was: Flags,
    may: Flags,
    tell: Callable[[float], None],
    enough: int | None = None,
) -> WithTriad | Refusal:
    """The best triad of a graph of whom somebody is left, or what proves that none leaves fewer.

    `mate`, `least` and `prices` are those of the best pairs alone. `was`: who has been one of three before;
    `may`: who may be one at all.
    The least fit need not be above `enough`; then its proof does not say so either.
    """
    levelled = graph if enough is None else replace(graph, fit=np.minimum(graph.fit, enough))
    level, three, above = _greatest_least(levelled, mate, least, may, tell)
    if three is None:
        return above
    allowed = graph.at_least(level)
    if level < least:
        pool = best_of_each(allowed, CANDIDATES, np.random.default_rng(graph.size))
        prices = greatest_total(allowed, pool, mate, tell).prices
    search = _Search(allowed, mate, prices, was, may, tell)
    return search.run(level, three, above)


def _greatest_least(
    graph: Graph, mate: list[int], least: int, may: Flags, tell: Callable[[float], None]
) -> tuple[int, Three | None, Refusal]:
    """The greatest fit that all pairs can have with a triad, such a triad, and why there is none among better pairs.

    Without any triad the second is None and the third says why there is none at all.
    """
    levels = np.unique(graph.fit[graph.fit <= least])
    low, high = -1, len(levels)  # a triad is known for levels[low], none for levels[high]
    known: Three | None = None
    at = high - 1
    while low < high - 1:
        tell(0)
        three = _any(graph.at_least(int(levels[at])), mate, may)
        if three is None:
            high = at
        else:
            low, known = at, three
        at = (low + high) // 2
    level = int(levels[low]) if known else 0
    return level, known, _refusal(graph.only(graph.fit > level), mate, may)


def _any(graph: Graph, mate: list[int], may: Flags) -> Three | None:
    """Some triad that leaves fewer than the pairs of `mate`, which are of the graph and as many as possible."""
    near = graph.neighbours(np.arange(len(graph.a)))
    alone = [each for each, partner in enumerate(mate) if partner == ALONE]
    who = may.tolist()
    return next((three for each in alone if (three := triad_of_group(each, mate, near, who))), None)


def _refusal(graph: Graph, mate: list[int], may: Flags) -> Refusal:
    """Why no triad of this graph leaves fewer than `mate`, some of whose pairs it may not have."""
    everything = np.arange(len(graph.a))
    found, _barrier, _pool = fewest_left(graph, everything, still(graph, mate))
    barrier = finest(graph, found)
    if found.count(ALONE) > mate.count(ALONE):
        return Refusal(barrier)
    threes = np.concatenate(
        [np.empty((0, 3), dtype=np.int64), *threes_of(graph, grouped(graph.size, barrier, may), everything)]
    )
    return Refusal(barrier, tuple((_three(row), why_not(graph, found, _three(row))) for row in threes))


def why_not(graph: Graph, mate: list[int], three: Three) -> Barrier:
    """Why the others leave more people than with this triad would be fewer than the pairs of `mate` leave."""
    rest = graph.without(three)
    everything = np.arange(len(rest.a))
    _found, barrier, _pool = fewest_left(rest, everything, still(rest, mate), mate.count(ALONE) + 2)
    if barrier is None:
        raise ValueError("the triad leaves fewer")
    return barrier


def grouped(people: int, barrier: Barrier, may: Flags) -> NDArray[np.int32]:
    """The odd group of each person, -1 for who is in none or may not be one of three."""
    label = np.full(people, -1, dtype=np.int32)
    for number, group in enumerate(barrier.odd):
        label[list(group)] = number
    label[~may] = -1
    return label


def threes_of(graph: Graph, label: NDArray[np.int32], edges: Edges) -> Iterator[Numbers]:
    """All threes of one group who are possible with each other by these pairs: chunks of people, shape (k, 3)."""
    low, high = np.minimum(graph.a[edges], graph.b[edges]), np.maximum(graph.a[edges], graph.b[edges])
    inside = (label[low] == label[high]) & (label[low] >= 0)
    order = np.lexsort((high[inside], low[inside]))
    low, high = low[inside][order].astype(np.int64), high[inside][order].astype(np.int64)
    starts = np.searchsorted(low, np.arange(graph.size + 1))
    many = np.diff(starts)
    there = np.zeros(graph.size, dtype=np.bool_)
    for one in np.flatnonzero(many > 1).tolist():
        others = high[starts[one] : starts[one + 1]]
        there[others] = True
        for begin in range(0, len(others), max(1, CHUNK // graph.size)):
            seconds = others[begin : begin + max(1, CHUNK // graph.size)]
            count = many[seconds]
            at = np.repeat(starts[seconds] - np.cumsum(count) + count, count) + np.arange(count.sum())
            hit = there[high[at]]
            second, third = np.repeat(seconds, count)[hit], high[at][hit]
            if len(third):
                yield np.stack((np.full(len(third), one), second, third), axis=1)
        there[others] = False


class _Bounds:
    """What a solution with a triad can be worth at most by one system of prices, enough for all allowed pairs."""

    def __init__(self, prices: Prices, pairs: int) -> None:
        self.scale, self.pairs = prices.scale, pairs
        self.pays = np.array(prices.each, dtype=np.int64)
        self.base = sum(prices.each) + pairs * prices.size + sum(len(odd) // 2 * much for odd, much in prices.odd)
        self.odd = [(np.isin(np.arange(len(self.pays)), group), much) for group, much in prices.odd]

    def of(self, threes: Numbers, worths: Numbers) -> Numbers:
        """Of triads, shape (k, 3), that are themselves worth `worths`, shape (k,): what all others pay comes to it."""
        most: Numbers = self.base - self.pays[threes].sum(axis=1)
        for inside, much in self.odd:
            most -= much * (inside[threes].sum(axis=1) >= 2)
        return worths + even(most // self.scale, len(self.pays), self.pairs)


class _Search:
    """For the greatest total with a triad among pairs that all fit well enough."""

    def __init__(
        self, graph: Graph, mate: list[int], prices: Prices, was: Flags, may: Flags, tell: Callable[[float], None]
    ) -> None:
        self.graph, self.mate, self.prices, self.was, self.tell = graph, mate, prices, was, tell
        self.left = mate.count(ALONE)
        self.pairs = (graph.size - self.left) // 2 - 1
        self.within = finest(graph, mate)
        self.label = grouped(graph.size, self.within, may)
        key = np.minimum(graph.a, graph.b).astype(np.int64) * graph.size + np.maximum(graph.a, graph.b)
        self.order = np.argsort(key)
        self.key = key[self.order]
        self.half = graph.fit.astype(np.int64) * unit(graph.size) - graph.again
        """What a pair within a triad is worth."""
        self.systems = [_Bounds(prices, self.pairs)]
        pays, scale = self.systems[0].pays, prices.scale
        self.dear = pays[graph.a] + pays[graph.b] + prices.size - 2 * scale * self.half
        """Twice what a pair within a triad loses against the prices, but for odd sets."""
        self.program = Warm(graph, mate, prices, lambda: tell(0.5))
        self.worth = -1
        self.best: tuple[Three, list[int]] | None = None
        self.more: list[Prices] = []
        self.tried: set[Three] = set()
        self.refused: dict[Three, Barrier] = {}

    def run(self, level: int, three: Three, above: Refusal) -> WithTriad:
        """The best, begun with some triad that is possible."""
        few = min(len(self.dear), FIRST * self.graph.size)
        near = np.argpartition(self.dear, few - 1)[:few]
        good, _bounds = self._above(near, 1)
        self._solve(three)
        for row in good:
            self._solve(_three(row))
        self._try(*self._above(near, FEW), EARLY)
        while len(self.tried) < MOST:
            slack = 2 * self.systems[0].base + 3 * self.prices.size - 2 * self.prices.scale * self.worth
            threes, bounds = self._above(np.flatnonzero(self.dear < slack), MANY)
            if not len(threes):
                break
            self._try(threes, bounds, MOST)
        if self.best is None:
            raise ValueError("the triad to begin with is none")
        refused = tuple(sorted(self.refused.items(), key=lambda each: each[0]))
        triad = Triad(self.best[0], above, self.within, tuple(self.more), refused)
        return WithTriad(self.best[1], level, self.prices, triad)

    def _try(self, threes: Numbers, bounds: Numbers, most: int) -> None:
        """Solve for the threes whose bounds are above the best, the greatest first; at most so many in all."""
        worths = self._worths(threes)
        while len(self.tried) < most and len(bounds) and bounds[at := int(bounds.argmax())] > self.worth:
            self.tell(0.5)
            known = len(self.systems)
            self._solve(_three(threes[at]))
            bounds[at] = self.worth  # solved or refused
            for system in self.systems[known:]:
                bounds = np.minimum(bounds, system.of(threes, worths))

    def _solve(self, three: Three) -> None:
        """Find the best pairs beside a triad, or why it would leave more; what is proven by that is kept."""
        if three in self.tried:
            return
        self.tried.add(three)
        row = np.array([three])
        own = self._worths(row)
        total, prices = self.program.proven(three, self.left - 1)
        if prices is not None:
            self._add(prices, three)
        if total is None and (prices is None or self.systems[-1].of(row, own)[0] > self.worth):
            total = self._slowly(three)
            if total is not None:
                self._add(total.prices, three)
        if total is not None and total.worth + own[0] > self.worth:
            self.worth, self.best = total.worth + int(own[0]), (three, total.mate)

    def _add(self, prices: Prices, three: Three) -> None:
        prices = _extended(self.graph, prices, three)
        self.more.append(prices)
        self.systems.append(_Bounds(prices, self.pairs))

    def _slowly(self, three: Three) -> Total | None:
        """As the program says it, from the beginning; None with a reason kept if the triad does not leave fewer."""
        rest = self.graph.without(three)
        everything = np.arange(len(rest.a))
        mate, barrier, _pool = fewest_left(rest, everything, still(rest, self.mate), self.left + 2)
        if barrier is not None:
            self.refused[three] = barrier
            return None
        pool = best_of_each(rest, CANDIDATES, np.random.default_rng(rest.size))
        return greatest_total(rest, pool, mate, self.tell, SLOW)

    def _worths(self, threes: Numbers) -> Numbers:
        """What triads are worth: half of each of their pairs, less one for each who was one of three before."""
        worth: Numbers = -self.was[threes].sum(axis=1).astype(np.int64)
        for one, two in ((0, 1), (0, 2), (1, 2)):
            key = threes[:, one] * self.graph.size + threes[:, two]
            worth += self.half[self.order[np.searchsorted(self.key, key)]]
        return worth

    def _above(self, edges: Edges, most: int) -> tuple[Numbers, Numbers]:
        """The threes among these pairs with bounds above the best so far, and these; the greatest, at most so many."""
        threes, bounds = np.empty((0, 3), dtype=np.int64), np.empty(0, dtype=np.int64)
        for more in threes_of(self.graph, self.label, edges):
            worths = self._worths(more)
            bound = self.systems[0].of(more, worths)
            for system in self.systems[1:]:
                good = bound > self.worth
                more, worths, bound = more[good], worths[good], bound[good]
                bound = np.minimum(bound, system.of(more, worths))
            good = bound > (self.worth if len(bounds) < most else bounds[-1])
            good[good] = [_three(row) not in self.tried for row in more[good]]
            threes, bounds = np.concatenate((threes, more[good])), np.concatenate((bounds, bound[good]))
            order = np.lexsort((threes[:, 2], threes[:, 1], threes[:, 0], -bounds))[:most]
            threes, bounds = threes[order], bounds[order]
        return threes, bounds


def _extended(graph: Graph, prices: Prices, three: Three) -> Prices:
    """Prices of a graph without some people, who pay now what they have to for all their pairs."""
    each = list(prices.each)
    for person in three:
        each[person] = 0
    for person in three:
        own = graph.only((graph.a == person) | (graph.b == person))
        short = -dearness(own, replace(prices, each=tuple(each)))
        each[person] = max(0, int(short.max(initial=0)))
    return replace(prices, each=tuple(each))


def _three(row: Numbers) -> Three:
    one, two, three = sorted(row.tolist())
    return one, two, three
