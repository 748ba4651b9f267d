"""Whether a solution keeps the rules and its certificate proves it best. Small and apart: it searches nothing.

It imports nothing of the search. Whoever trusts this file and the theorems it names need not trust the search.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.certificate import Barrier, Part, unit
from lti_tool.matching.problem import Flags, Ints, Problem, Solution

Numbers = NDArray[np.int64]
CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check found."""

    ok: bool
    """Whether the rules are kept, each witness holds, and nothing but `gap` is open."""
    gap: int
    """How many points the total could be greater at most, for all parts together; 0: proven best in all aims."""
    reasons: tuple[str, ...]
    """What is wrong, for a log; empty if ok."""
    again: int = 0
    """If the total is proven best: how many fewer pairs who met before there could be at most."""

    @property
    def proven(self) -> bool:
        """Whether nothing better is possible."""
        return self.ok and self.gap == 0 and self.again == 0


def check(problem: Problem, solution: Solution) -> Verdict:
    """Verify a solution and its certificate against every possible pair."""
    wrong = list(_rules(problem, solution))
    if wrong:
        return Verdict(False, 0, tuple(wrong))
    label = _components(problem)
    proofs = {part.first: part for part in solution.certificate.parts}
    roots = np.unique(label[problem.first]).tolist()
    if sorted(proofs) != roots or len(proofs) != len(solution.certificate.parts):
        return Verdict(False, 0, ("the certificate is of other parts",))
    people = np.argsort(label, kind="stable").astype(np.int32)
    pairs = np.argsort(label[problem.first], kind="stable") if len(roots) > 1 else np.arange(problem.pairs)
    owner = label[problem.first][pairs]
    number = np.zeros(problem.people, dtype=np.int32)
    mate = np.full(problem.people, -1, dtype=np.int32)
    for a, b in solution.pairs:
        mate[a], mate[b] = b, a
    gap = again = 0
    for root in roots:
        members = people[slice(*np.searchsorted(label[people], (root, root + 1)))]
        own = pairs[slice(*np.searchsorted(owner, (root, root + 1)))]
        number[members] = np.arange(len(members), dtype=np.int32)
        view = _View(
            members,
            number,
            number[problem.first[own]],
            number[problem.second[own]],
            problem.fit[own],
            problem.again[own],
            mate[problem.first[own]] == problem.second[own],
        )
        try:
            more = _part(view, proofs[root])
        except _WrongError as error:
            wrong.append(f"part {root}: {error}")
            continue
        points, pairs_again = divmod(more, unit(len(members)))
        gap += points
        again += pairs_again
    return Verdict(not wrong, gap, tuple(wrong), again)


class _WrongError(Exception):
    """A witness does not hold."""


@dataclass(frozen=True, slots=True)
class _View:
    """One component by its own numbers; the arrays from `a` have one entry for each possible pair."""

    members: Ints
    number: Ints
    a: Ints
    b: Ints
    fit: Ints
    again: Flags
    chosen: Flags

    def inside(self, people: tuple[int, ...]) -> list[int]:
        """The own numbers of some people, who must be of this component and all different."""
        own = []
        for each in people:
            if not 0 <= each < len(self.number) or self.number[each] >= len(self.members):
                raise _WrongError("a witness names somebody of another part")
            number = int(self.number[each])
            if self.members[number] != each:
                raise _WrongError("a witness names somebody of another part")
            own.append(number)
        if len(set(own)) < len(own):
            raise _WrongError("a witness names somebody twice")
        return own


def _rules(problem: Problem, solution: Solution) -> Iterator[str]:
    """What of the rules is broken: everybody once, only possible pairs, numbers in order."""
    everybody = sorted(each for group in (*solution.pairs, *solution.triads, solution.left) for each in group)
    if everybody != list(range(problem.people)):
        yield "not everybody is there exactly once"
        return
    if solution.triads:
        yield "three people together are not proven here"
    partner = np.full(problem.people, -1, dtype=np.int32)
    for a, b in solution.pairs:
        if a > b:
            yield "a pair is out of order"
        partner[min(a, b)] = max(a, b)
    if int((partner[problem.first] == problem.second).sum()) != len(solution.pairs):
        yield "a pair is not possible"


def _components(problem: Problem) -> Ints:
    """For each person the smallest number among all they hang together with."""
    label = np.arange(problem.people, dtype=np.int32)
    first, second = problem.first, problem.second
    while len(first):
        low, high = np.minimum(label[first], label[second]), np.maximum(label[first], label[second])
        np.minimum.at(label, high, low)
        while not np.array_equal(label, label[label]):
            label = label[label]
        still = label[first] != label[second]
        first, second = first[still], second[still]
    return label


def _part(view: _View, proof: Part) -> int:
    """How much more one component could be worth; raises _WrongError where a witness fails."""
    people = len(view.members)
    pairs = int(view.chosen.sum())
    left = people - 2 * pairs
    _hold(view, proof.left, np.ones(len(view.fit), dtype=np.bool_))
    if proof.left.proves(people) != left:
        raise _WrongError("that nobody more can have a partner is not proven")
    if pairs == 0 or int(view.fit[view.chosen].min()) != proof.least:
        raise _WrongError("the least fit is another one")
    better = view.fit > proof.least
    if proof.worst is None:
        if better.any():
            raise _WrongError("that the least fit cannot be greater is not proven")
    else:
        _hold(view, proof.worst, better)
        if proof.worst.proves(people) <= left:
            raise _WrongError("that the least fit cannot be greater is not proven")
    return _total(view, proof, pairs)


def _hold(view: _View, barrier: Barrier, among: Flags) -> None:
    """Whether a barrier holds among some of the possible pairs: its groups are odd, apart, and nobody goes astray."""
    label = np.zeros(len(view.members), dtype=np.int32)
    view.inside((*barrier.apart, *(each for group in barrier.odd for each in group)))
    label[view.inside(barrier.apart)] = -1
    for number, group in enumerate(barrier.odd, start=1):
        if len(group) % 2 == 0:
            raise _WrongError("a group is not odd")
        label[view.inside(group)] = number
    a, b = label[view.a], label[view.b]
    if (among & (a != b) & (np.minimum(a, b) >= 0)).any():
        raise _WrongError("a group could go with others")


def _total(view: _View, proof: Part, pairs: int) -> int:
    """The bound of the prices less what the pairs are worth, the prices being enough for every pair that is allowed."""
    prices = proof.prices
    people = len(view.members)
    worth = 2 * view.fit.astype(np.int64) * unit(people) - view.again
    if prices.scale < 1 or len(prices.each) != people or min(prices.each) < 0:
        raise _WrongError("the prices are not of these people")
    numbers = [prices.scale * int(worth.max()), *prices.each, abs(prices.size), *(much for _group, much in prices.odd)]
    if max(numbers) > 2**60:
        raise _WrongError("a price is beyond what is counted with")
    pays = np.array(prices.each, dtype=np.int64)
    sets = []
    for group, much in prices.odd:
        if len(group) % 2 == 0 or much < 0:
            raise _WrongError("a set with a price is not odd")
        sets.append((view.inside(group), much))
    inside = np.zeros(people, dtype=np.bool_)
    for start in range(0, len(worth), CHUNK):
        part = slice(start, start + CHUNK)
        a, b = view.a[part], view.b[part]
        lack = prices.scale * worth[part] - pays[a] - pays[b] - prices.size
        short = np.flatnonzero((lack > 0) & (view.fit[part] >= proof.least))
        a, b, lack = a[short], b[short], lack[short]
        for own, much in sets:
            inside[own] = True
            lack[inside[a] & inside[b]] -= much
            inside[own] = False
        if (lack > 0).any():
            raise _WrongError("a pair is worth more than is paid for it")
    more = prices.bound(pairs) - int(worth[view.chosen].sum())
    if more < 0:
        raise _WrongError("the bound is below what is there")
    return more
