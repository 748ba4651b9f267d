"""The linear program behind the greatest total: so far as its pairs and odd sets were needed."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.certificate import even, unit
from lti_tool.matching.graph import Edges, Graph
from lti_tool.matching.problem import Ints

Floats = NDArray[np.float64]
CHUNK = 2_000_000
"""How many pairs are looked at together, for the memory."""
SMALL = 1e-7
"""What counts as nothing, in points of fit: the tolerance of the solver."""
PATIENCE = 0.2
"""Seconds between two calls of `tell` while the solver works."""


class Program:
    """How much of each pair is taken, so that it is worth most: everybody is in one pair or alone, `left` alone in all.

    Rows: one for each person, one for who is alone (if anybody is), then the odd sets. Columns: being alone, for each
    person (if anybody is), then the pairs.
    """

    def __init__(self, graph: Graph, worth: Floats, left: int, tell: Callable[[], None]) -> None:
        """`worth`: of each pair of the graph, shape (m,). `tell` is called now and then and may raise."""
        self.graph = graph
        self.worth = worth
        self.pairs: Edges = np.empty(0, dtype=np.int64)
        """Which pairs were taken in."""
        self.sets: list[tuple[int, ...]] = []
        self._taken = np.zeros(len(graph.a), dtype=np.bool_)
        self._layers: list[tuple[Ints, list[int]]] = []
        """Odd sets that do not overlap share one array: in which of them each person is (-1: none)."""
        self._tell = tell
        self._told = monotonic()
        self._stopped: BaseException | None = None
        self._solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self._solver.silent()
        self._solver.setOptionValue("threads", 1)
        self._solver.cbSimplexInterrupt.subscribe(self._called)
        people = graph.size
        self._rows(np.ones(people), np.ones(people))
        self._before_sets = people + (left > 0)
        self._before_pairs = people if left else 0
        if left:
            self._rows(np.array([float(left)]), np.array([float(left)]))
            rows = np.stack((np.arange(people), np.full(people, people)), axis=1)
            self._columns(np.zeros(people), np.arange(0, 2 * people, 2), rows.ravel())

    def add_pairs(self, pairs: Edges) -> None:
        """Take in more pairs."""
        a, b = self.graph.a[pairs], self.graph.b[pairs]
        column, row = [np.arange(len(pairs))] * 2, [a, b]
        for label, numbers in self._layers:
            inside = np.flatnonzero((label[a] == label[b]) & (label[a] >= 0))
            column.append(inside)
            row.append(np.array(numbers)[label[a[inside]]] + self._before_sets)
        columns = np.concatenate(column)
        order = np.argsort(columns, kind="stable")
        starts = np.searchsorted(columns[order], np.arange(len(pairs)))
        self._columns(self.worth[pairs], starts, np.concatenate(row)[order])
        self._taken[pairs] = True
        self.pairs = np.concatenate((self.pairs, pairs))

    def add_sets(self, sets: list[tuple[int, ...]]) -> None:
        """Take in odd sets: of 2k + 1 people at most k pairs are among themselves."""
        a, b = self.graph.a[self.pairs], self.graph.b[self.pairs]
        for group in sets:
            inside = np.zeros(self.graph.size, dtype=np.bool_)
            inside[list(group)] = True
            columns = (np.flatnonzero(inside[a] & inside[b]) + self._before_pairs).astype(np.int32)
            most = len(group) // 2
            self._solver.addRow(-highspy.kHighsInf, most, len(columns), columns, np.ones(len(columns)))
            self._put_in_layer(list(group), len(self.sets))
            self.sets.append(group)

    def run(self) -> None:
        """Solve, from the answer before. Raises what `tell` raised, RuntimeError if the solver finds no answer."""
        self._solver.run()
        if self._stopped:
            raise self._stopped
        status = self._solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"the linear program ended with {status}")

    def shares(self) -> tuple[Floats, Floats]:
        """How much of each pair taken in is in the answer, and how much each person is alone: both 0 to 1."""
        values = np.array(self._solver.getSolution().col_value)
        alone = values[: self._before_pairs] if self._before_pairs else np.zeros(self.graph.size)
        return values[self._before_pairs :], alone

    def prices(self) -> tuple[Floats, float, Floats]:
        """What each person pays (0 or more), each pair (any sign) and each odd set (0 or more)."""
        dual = -np.array(self._solver.getSolution().row_dual)
        each = dual[: self.graph.size]
        # If somebody is alone, nobody pays less than it is worth to be alone; else all can pay more and each pair less.
        more = float(dual[self.graph.size]) if self._before_pairs else max(0.0, -float(each.min()))
        return np.maximum(each + more, 0), -2 * more, np.maximum(dual[self._before_sets :], 0)

    def worth_of_all(self) -> float:
        """What the answer is worth in all; no whole one is worth more, once no pair is missing."""
        return -float(self._solver.getInfo().objective_function_value)

    def most(self, pairs: int) -> int:
        """No so many whole pairs are worth more, once no pair is missing; as certificate.worth counts."""
        return even(int(self.worth_of_all() * unit(self.graph.size) + 0.01), self.graph.size, pairs)

    def tight(self, loss: float = 10 * SMALL) -> Edges:
        """The pairs worth just what is paid for them, or so little less: a best answer has only such."""
        lack = np.array(self._solver.getSolution().col_dual)[self._before_pairs :]
        return self.pairs[lack <= loss]

    def loses(self, edges: Edges) -> Floats:
        """How much more is paid for some pairs of the graph, taken in or not, than they are worth; shape of `edges`."""
        each, size, odd = self.prices()
        a, b = self.graph.a[edges], self.graph.b[edges]
        lost: Floats = each[a] + each[b] + size - self.worth[edges]
        for label, numbers in self._layers:
            inside = (label[a] == label[b]) & (label[a] >= 0)
            lost[inside] += odd[np.array(numbers)[label[a[inside]]]]
        return lost

    def missing(self) -> Edges:
        """Pairs not taken in that are worth more than is paid for them: of each person the few that lack most."""
        each, size, odd = self.prices()
        a, b = self.graph.a, self.graph.b
        found, lacks = [], []
        for start in range(0, len(a), CHUNK):
            self._tell()
            part = slice(start, start + CHUNK)
            lack = self.worth[part] - each[a[part]] - each[b[part]] - size
            short = np.flatnonzero((lack > SMALL) & ~self._taken[part])
            lack = lack[short]
            short += start
            for label, numbers in self._layers:
                own = label[a[short]]
                inside = (own == label[b[short]]) & (own >= 0)
                lack[inside] -= odd[np.array(numbers)[own[inside]]]
            found.append(short[lack > SMALL])
            lacks.append(lack[lack > SMALL])
        return _worst_of_each(self.graph, np.concatenate(found), np.concatenate(lacks))

    def _rows(self, least: Floats, most: Floats) -> None:
        none: Any = np.empty(0, dtype=np.int32)
        self._solver.addRows(len(least), least, most, 0, np.zeros(len(least), dtype=np.int32), none, np.empty(0))

    def _columns(self, worth: Floats, starts: NDArray[Any], rows: NDArray[Any]) -> None:
        many, filled = len(worth), len(rows)
        most = np.full(many, highspy.kHighsInf)
        starts, rows = starts.astype(np.int32), rows.astype(np.int32)
        self._solver.addCols(many, -worth, np.zeros(many), most, filled, starts, rows, np.ones(filled))

    def _put_in_layer(self, people: list[int], number: int) -> None:
        for label, numbers in self._layers:
            if (label[people] < 0).all():
                label[people] = len(numbers)
                numbers.append(number)
                return
        label = np.full(self.graph.size, -1, dtype=np.int32)
        label[people] = 0
        self._layers.append((label, [number]))

    def _called(self, event: Any) -> None:
        """The solver asks whether to go on."""
        if self._stopped is None and monotonic() - self._told > PATIENCE:
            self._told = monotonic()
            try:
                self._tell()
            except BaseException as stop:  # goes on in run(): it must not pass through the solver
                self._stopped = stop
        if self._stopped:
            event.interrupt()


def _worst_of_each(graph: Graph, edges: Edges, lack: Floats, many: int = 3) -> Edges:
    """For each person the few pairs that lack most."""
    if len(edges) <= graph.size:
        return edges
    ends = np.concatenate((graph.a[edges], graph.b[edges]))
    order = np.lexsort((-np.concatenate((lack, lack)), ends))
    ends = ends[order]
    rank = np.arange(len(order)) - np.searchsorted(ends, ends)
    return np.unique(edges[order[rank < many] % len(edges)])
