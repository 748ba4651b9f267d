"""What a set of pairs is worth by each aim."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lti_tool.matching.problem import Problem


@dataclass(frozen=True, slots=True)
class Values:
    """By the order of aims."""

    left: int
    """How many have no partner."""
    worst: int
    """The least fit among all pairs, those within a triad included; 0 if there is none."""
    total: int
    """Counted per person: 2 * fit of each pair, the sum of the three fits of each triad."""
    again: int
    """How many pairs met before, those within a triad included, and how many of a triad were in one before."""


def values(
    problem: Problem, pairs: Iterable[tuple[int, int]], triads: Iterable[tuple[int, int, int]], left: Iterable[int]
) -> Values:
    """The values of pairs and triads that are possible; raises KeyError for one that is not."""
    twos = [(min(pair), max(pair)) for pair in pairs]
    threes = [tuple(sorted(triad)) for triad in triads]
    within = [(a, b) for x, y, z in threes for a, b in ((x, y), (x, z), (y, z))]
    fit, again = of_pairs(problem, [*twos, *within])
    each = [2] * len(twos) + [1] * len(within)
    return Values(
        len(list(left)),
        min(fit, default=0),
        sum(much * times for much, times in zip(fit, each, strict=True)),
        sum(again) + sum(int(problem.was_in_triad[person]) for triad in threes for person in triad),
    )


def of_pairs(problem: Problem, pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The fit of each pair (smaller number first), and 1 if it met before, else 0; KeyError if it is not possible."""
    keys = problem.first.astype(np.int64) * problem.people + problem.second
    wanted = np.array([a * problem.people + b for a, b in pairs], dtype=np.int64)
    hits = np.flatnonzero(np.isin(keys, wanted))
    place = dict(zip(keys[hits].tolist(), hits.tolist(), strict=True))
    rows = [place[key] for key in wanted.tolist()]
    return problem.fit[rows].tolist(), problem.again[rows].astype(np.int32).tolist()
