"""What is to be solved, and what a solution is. People are the numbers 0 to n - 1; names and reasons stay outside."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.certificate import Certificate

Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Problem:
    """Who could be paired with whom, and how well the two fit.

    `first`, `second`, `fit`, `again` have one entry for each possible pair, shape (m,): every pair at most once, with
    first < second, and only if no hard rule is against it.
    """

    people: int
    first: Ints
    second: Ints
    fit: Ints
    """A whole number from 1 to 999: what the two said they share."""
    again: Flags
    """Whether the two have worked together before."""
    was_in_triad: Flags
    """Shape (n,): whether somebody has been one of three before."""
    triads: bool = False
    """Whether three may go together, all three of whose pairs are possible, where somebody would be left out."""
    seed: int = 0
    no_triad: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Shape (n,): who is never one of three; or empty, where that is nobody."""

    @property
    def may_be_three(self) -> Flags:
        """Shape (n,): who may be one of three, where three may go together."""
        return ~self.no_triad if len(self.no_triad) else np.ones(self.people, np.bool_)

    @property
    def pairs(self) -> int:
        """How many pairs are possible."""
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Solution:
    """Who goes with whom: everybody is in one pair, in one triad, or left."""

    pairs: tuple[tuple[int, int], ...]
    """Each with the smaller number first, in order."""
    triads: tuple[tuple[int, int, int], ...]
    left: tuple[int, ...]
    certificate: Certificate

    def with_whom(self, person: int) -> tuple[int, ...]:
        """The partner of somebody, both partners in a triad, or nobody."""
        for group in (*self.pairs, *self.triads):
            if person in group:
                return tuple(each for each in group if each != person)
        return ()


def problem(people: int, pairs: list[tuple[int, int, int]], **more: Any) -> Problem:
    """A problem from (first, second, fit) in any order, for small cases; `more`: fields of Problem."""
    rows = sorted((min(a, b), max(a, b), fit) for a, b, fit in pairs)
    columns = np.array(rows, dtype=np.int32).reshape(-1, 3)
    again = {tuple(sorted(pair)) for pair in more.pop("again", ())}
    return Problem(
        people,
        columns[:, 0].copy(),
        columns[:, 1].copy(),
        columns[:, 2].copy(),
        np.array([(a, b) in again for a, b, _fit in rows], dtype=np.bool_),
        np.asarray(more.pop("was_in_triad", [False] * people), dtype=np.bool_),
        no_triad=np.asarray(more.pop("no_triad", ()), dtype=np.bool_),
        **more,
    )
