"""Why somebody is left without a partner, and the smallest change that would help.

The witness is that of Tutte and Berge, read off one alternating tree: everybody in it could go only with those they
compete for, or with each other where they are an odd number.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lti_tool.matching.alternating import ALONE, Tree, grow, mates, near
from lti_tool.matching.problem import Problem, Solution
from lti_tool.matching.triads import triad_of_group

FEW = 5
"""Fewer people than this could be told apart by a count."""
Pairs = Iterable[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """People of whom somebody has to be left, whoever goes with whom."""

    people: int
    """How many could be left instead of this one, this one included."""
    partners: int
    """For how many colleagues they compete."""
    groups: int
    """How many groups they form, each of an odd number, within which pairs are possible; one alone is one too."""


@dataclass(slots=True)
class Gaps:
    """What can be asked about those left in a solution: one of these for all of them, as it is costly to make."""

    problem: Problem
    solution: Solution
    _near: list[Sequence[int]] = field(init=False)
    _may: list[bool] = field(init=False)
    _mate: list[int] = field(init=False)
    _trees: dict[int, Tree] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._near = near(self.problem.people, self.problem.first, self.problem.second)
        self._may = self.problem.may_be_three.tolist()
        self._mate = mates(self.problem.people, self.solution.pairs)
        for a, b, _third in self.solution.triads:  # a greatest number of pairs is left when three become two and one
            self._mate[a], self._mate[b] = b, a

    def helps(self, person: int, relaxed: Mapping[str, Pairs]) -> str:
        """Which of `rounds.rules.HELPS` would let this person, who is left, have a partner, with fewer left in all.

        `relaxed` has by key, in that order, the pairs that the change would make possible; numbers from
        `problem.people` on stand for colleagues who would join. "triad" needs none: it is about three going together at
        all. Returns the first key that helps, else "". Only what leads to this person counts, not what helps others.
        """
        for key, pairs in relaxed.items():
            if key == "triad":
                if not self.problem.triads and triad_of_group(person, self._mate, self._near, self._may):
                    return key
            elif self._reaches(person, pairs):
                return key
        return ""

    def crowd(self, person: int) -> Crowd | None:
        """Who competes with this person for whom; None where the counts could tell who somebody is."""
        tree = self._tree(person)
        crowd = Crowd(len(tree.outer), len(tree.inner), len(tree.inner) + 1)
        return None if crowd.people < FEW or 0 < crowd.partners < FEW else crowd

    def _tree(self, person: int) -> Tree:
        if person not in self._trees:
            self._trees[person] = grow(person, self._mate, self._near)
        return self._trees[person]

    def _reaches(self, person: int, pairs: Pairs) -> bool:
        """Whether with more pairs a path leads from somebody left to another one, or to a triad."""
        outer = self._tree(person).outer
        added = [(a, b) for a, b in pairs if a in outer or b in outer]
        if not added:
            return False
        top = max(self.problem.people - 1, *(max(pair) for pair in added)) + 1
        more = [*self._near, *([] for _ in range(top - self.problem.people))]
        for a, b in added:
            more[a], more[b] = [*more[a], b], [*more[b], a]
        mate = self._mate + [ALONE] * (top - len(self._mate))
        return grow(person, mate, more).end != ALONE


def helps(problem: Problem, solution: Solution, person: int, relaxed: Mapping[str, Pairs]) -> str:
    """As Gaps.helps, for one person."""
    return Gaps(problem, solution).helps(person, relaxed)
