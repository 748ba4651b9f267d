"""The best pairs without some people, again and again: one linear program that goes on from its last answer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.alternating import ALONE
from lti_tool.matching.certificate import Prices, unit
from lti_tool.matching.graph import Edges, Graph
from lti_tool.matching.odd_sets import violated
from lti_tool.matching.program import Program
from lti_tool.matching.total import SCALES, Total, in_whole_numbers, places, whole, worths

POOL = 4
"""So many pairs for each person, the least dear by the prices, are what the program begins with."""
ROUNDS = 30
"""How often pairs or odd sets are added for one answer before it gives up."""
NEVER = -1e9
"""What a pair of somebody taken out is worth."""


class Warm(Program):
    """The greatest total of a graph without one or the other of its people."""

    def __init__(self, graph: Graph, mate: list[int], prices: Prices, tell: Callable[[], None] = lambda: None) -> None:
        """`mate` and `prices` are those of the best pairs of the whole graph."""
        self._points = worths(graph)
        self._left = mate.count(ALONE)
        self._out: tuple[int, ...] = ()
        self._saved: tuple[Edges, NDArray[np.float64]] = (np.empty(0, dtype=np.int64), np.empty(0))
        super().__init__(graph, self._points / unit(graph.size), self._left, tell)
        self.add_pairs(np.union1d(least_dear(graph, prices), places(graph, mate)))
        self.add_sets([group for group, _much in prices.odd])

    def without(self, out: tuple[int, ...], left: int) -> Edges | None:
        """The best pairs of the others, of whom so many are left; None if there are none, or none is found.

        If nobody is left in the whole graph, nobody can be left here.
        """
        self._take_out(out, left)
        self._answered = False
        self._found: tuple[int, Edges] | None = None
        pairs = (self.graph.size - len(out) - left) // 2
        try:
            for _ in range(ROUNDS):
                self.run()
                self._answered = True
                missing = self.missing()
                if len(missing):
                    self.add_pairs(missing)
                    continue
                mate, groups = whole(self.graph, self, left, out)
                edges = places(self.graph, mate)
                worth = int(self._points[edges].sum())
                if len(edges) == pairs and (self._found is None or self._found[0] < worth):
                    self._found = worth, edges
                if self._found and self._found[0] >= self.most(pairs):
                    return self._found[1]
                share, alone = self.shares()
                sets = violated(self.graph.a[self.pairs], self.graph.b[self.pairs], share, alone)
                known = {*self.sets, *sets}
                sets += [each for each in groups if each not in known]
                if not sets:
                    return None
                self.add_sets(sets)
        except RuntimeError:  # no such answer among the pairs taken in
            self._answered = False
        return None

    def proven(self, out: tuple[int, ...], left: int) -> tuple[Total | None, Prices | None]:
        """As `without`, with prices of the graph without these people, who pay nothing themselves.

        There may be prices, if less good ones, where no pairs are found. The total may have a gap.
        """
        edges = self.without(out, left)
        if edges is None and self._found:
            edges = self._found[1]
        if not self._answered:
            return None, None
        rest = self.graph.without(out)
        if edges is None:
            prices = in_whole_numbers(rest, worths(rest), SCALES[-2], self)
            return None, replace(prices, each=tuple(0 if at in out else much for at, much in enumerate(prices.each)))
        mate = [ALONE] * self.graph.size
        for a, b in zip(self.graph.a[edges].tolist(), self.graph.b[edges].tolist(), strict=True):
            mate[a], mate[b] = b, a
        worth = int(self._points[edges].sum())
        for scale in SCALES:
            prices = in_whole_numbers(rest, worths(rest), scale, self)
            each = tuple(0 if person in out else much for person, much in enumerate(prices.each))
            total = Total(mate, worth, replace(prices, each=each))
            if total.gap == 0:
                break
        return total, total.prices

    def _take_out(self, out: tuple[int, ...], left: int) -> None:
        edges, worth = self._saved
        self.worth[edges] = worth
        for person in self._out:
            self._solver.changeRowBounds(person, 1.0, 1.0)
        for person in out:
            self._solver.changeRowBounds(person, 0.0, 0.0)
        if self._left:
            self._solver.changeRowBounds(self.graph.size, float(left), float(left))
        gone = np.zeros(self.graph.size, dtype=np.bool_)
        gone[list(out)] = True
        edges = np.flatnonzero(gone[self.graph.a] | gone[self.graph.b])
        self._out, self._saved = out, (edges, self.worth[edges])
        self.worth[edges] = NEVER


def least_dear(graph: Graph, prices: Prices, many: int = POOL) -> Edges:
    """So many pairs for each person that lose least against the prices: likely all that a good answer needs."""
    few = min(len(graph.a), many * graph.size)
    return np.argpartition(dearness(graph, prices), few - 1)[:few]


def dearness(graph: Graph, prices: Prices) -> NDArray[np.int64]:
    """How much more is paid for each pair than it is worth, in fractions of prices.scale; shape (m,)."""
    pays = np.array(prices.each, dtype=np.int64)
    dear: NDArray[np.int64] = pays[graph.a] + pays[graph.b] + prices.size - prices.scale * worths(graph)
    for group, much in prices.odd:
        inside = np.zeros(graph.size, dtype=np.bool_)
        inside[list(group)] = True
        dear[inside[graph.a] & inside[graph.b]] += much
    return dear
