"""Several rounds at once by whole-number programming (HiGHS): for small schools, where foresight matters most.

A variable for each possible pair in each round; each person at most once in a round, each pair in at most one round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic

import highspy
import numpy as np

from lti_tool.matching.problem import Flags, Ints

Chosen = list[list[int]]
"""For each round the places of its pairs in the arrays of a part."""


@dataclass(frozen=True, slots=True)
class Part:
    """People who could reach each other by possible pairs: arrays as in Problem, of their own numbers."""

    people: int
    first: Ints
    second: Ints
    fit: Ints
    new: Flags
    """Whether a pair has not met before; only such are planned for later rounds."""

    @property
    def pairs(self) -> int:
        """How many pairs are possible."""
        return len(self.first)


@dataclass(slots=True)
class _Program:
    part: Part
    rounds: int
    until: float
    rows: list[tuple[list[int], list[float], float, float]] = field(init=False, default_factory=list)
    """Places of variables, their factors, and between what the sum has to be."""
    by: list[list[int]] = field(init=False)
    """For each person the places of their pairs."""

    def __post_init__(self) -> None:
        part, step = self.part, self.part.pairs
        by: list[list[int]] = [[] for _ in range(part.people)]
        for place, (a, b) in enumerate(zip(part.first.tolist(), part.second.tolist(), strict=True)):
            by[a].append(place)
            by[b].append(place)
            self.row([at * step + place for at in range(self.rounds)], 0, 1)
        for at in range(self.rounds):
            for places in by:
                self.row([at * step + place for place in places], 0, 1)
        self.by = by

    def row(self, columns: list[int], low: float, high: float, values: list[float] | None = None) -> None:
        self.rows.append((columns, values or [1.0] * len(columns), low, high))

    def at_least(self, at: int, pairs: int) -> None:
        """A round has so many pairs."""
        step = self.part.pairs
        self.row(list(range(at * step, at * step + step)), pairs, self.part.people // 2)

    def in_order(self, alike: Sequence[int]) -> None:
        """Rounds alike in which everybody has a partner come in the order of one person's partners, each once."""
        step = self.part.pairs
        places = min(self.by, key=len)
        numbers = [float(each + 1) for each in range(len(places))]
        for at, following in pairwise(alike):
            columns = [at * step + place for place in places] + [following * step + place for place in places]
            self.row(columns, 1, float(len(places)), [-each for each in numbers] + numbers)

    def best(self, worth: np.ndarray, start: Chosen, high: np.ndarray) -> tuple[Chosen | None, float]:
        """The choice of greatest worth, None if none was found in time, and what none can exceed."""
        columns, step = self.rounds * self.part.pairs, self.part.pairs
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, len(self.rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = worth.astype(float), np.zeros(columns), high.astype(float)
        lp.row_lower_ = np.array([low for _columns, _values, low, _high in self.rows], dtype=float)
        lp.row_upper_ = np.array([top for _columns, _values, _low, top in self.rows], dtype=float)
        lp.sense_ = highspy.ObjSense.kMaximize
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0] + [len(row[0]) for row in self.rows])
        lp.a_matrix_.index_ = np.array([each for row in self.rows for each in row[0]])
        lp.a_matrix_.value_ = np.array([each for row in self.rows for each in row[1]], dtype=float)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (("output_flag", False), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.5), ("threads", 1)):
            solver.setOptionValue(name, value)
        solver.setOptionValue("time_limit", max(0.1, self.until - monotonic()))
        solver.passModel(lp)
        if start:
            guess = highspy.HighsSolution()
            values = np.zeros(columns)
            for at, places in enumerate(start):
                values[[at * step + place for place in places]] = 1
            guess.col_value = values.tolist()
            solver.setSolution(guess)
        solver.run()
        info = solver.getInfo()
        if info.primal_solution_status != highspy.kSolutionStatusFeasible:
            return None, float(info.mip_dual_bound)
        taken = np.flatnonzero(np.asarray(solver.getSolution().col_value) > 0.5)
        return [(taken[taken // step == at] % step).tolist() for at in range(self.rounds)], float(info.mip_dual_bound)

    def high(self) -> np.ndarray:
        """Upper bounds of the variables: pairs who have met only in the first round."""
        high = np.ones((self.rounds, self.part.pairs))
        high[1:, ~self.part.new] = 0
        return high.ravel()


def most_in_last(part: Part, start: Chosen, until: float) -> tuple[Chosen, int]:
    """One more pair, or as many as can be, in the last of the rounds, with no fewer in each of the others.

    `start`: a plan to better. Returns the plan, and the number of pairs that the last round cannot exceed.
    """
    program = _Program(part, len(start), until)
    whole = part.people // 2 if part.people % 2 == 0 else -1
    for at, places in enumerate(start[:-1]):
        program.at_least(at, len(places))
    free = 0 if part.new.all() else 1
    program.in_order([at for at in range(free, len(start) - 1) if len(start[at]) == whole])
    worth = np.zeros((len(start), part.pairs))
    worth[-1] = 1
    better, top = program.best(worth.ravel(), [], program.high())
    top = int(np.floor(top + 1e-6)) if np.isfinite(top) else part.people // 2
    if better is None or len(better[-1]) <= len(start[-1]):
        return start, max(top, len(start[-1]))
    return better, top


def fittest(part: Part, start: Chosen, least: int, until: float) -> Chosen | None:
    """The plan with as many pairs in each round whose first fits best, its pairs `least` or more; None: none."""
    program = _Program(part, len(start), until)
    for at, places in enumerate(start):
        program.at_least(at, len(places))
    high = program.high().reshape(len(start), part.pairs)
    high[0, part.fit < least] = 0
    worth = np.zeros((len(start), part.pairs))
    worth[0] = part.fit
    fits = part.fit[start[0]].min(initial=least) >= least
    return program.best(worth.ravel(), start if fits else [], high.ravel())[0]


def most_in_all(part: Part, rounds: int, until: float) -> int:
    """How many pairs so many rounds cannot exceed together: everybody in so many at most, all different."""
    program = _Program(part, 1, until)
    program.rows = [(*row[:3], float(rounds) if at >= part.pairs else 1.0) for at, row in enumerate(program.rows)]
    top = program.best(np.ones(part.pairs), [], np.ones(part.pairs))[1]
    return int(np.floor(top + 1e-6)) if np.isfinite(top) else rounds * (part.people // 2)
