"""Whether a solution keeps the rules and its certificate proves it best. Small and apart: it searches nothing.

It imports nothing of the search. Whoever trusts this file and the theorems it names need not trust the search.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.certificate import Barrier, Part, Prices, Refusal, Three, Triad, even, unit
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
    triads = {int(label[three[0]]): three for three in solution.triads}
    if len(triads) < len(solution.triads):
        return Verdict(False, 0, ("a part has more than one triad",))
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
            problem.was_in_triad[members],
            problem.may_be_three[members],
            problem.triads,
            triads.get(root),
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
    was: Flags
    """For each person."""
    may: Flags
    """For each person: whether they may be one of three."""
    triads: bool
    """Whether they are allowed."""
    three: Three | None
    """The triad of the part, by the problem's numbers."""

    def touching(self, three: Three) -> Flags:
        """Which pairs have somebody of these."""
        own = self.inside(three)
        return np.isin(self.a, own) | np.isin(self.b, own)

    def within(self, three: Three) -> Flags:
        """Which pairs are of two of these."""
        own = self.inside(three)
        return np.isin(self.a, own) & np.isin(self.b, own)

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
    if solution.triads and not problem.triads:
        yield "three together are not allowed"
    for three in solution.triads:
        inside = np.isin(problem.first, three) & np.isin(problem.second, three)
        if len(three) != 3 or int(inside.sum()) != 3 or list(three) != sorted(three):
            yield "three together are not possible with each other, or out of order"
        elif not problem.may_be_three[list(three)].all():
            yield "somebody who may not is one of three"
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
    left = people - 2 * pairs - (3 if view.three else 0)
    _hold(view, proof.left, np.ones(len(view.fit), dtype=np.bool_))
    if proof.left.proves(people) != left + (view.three is not None):
        raise _WrongError("that nobody more can have a partner is not proven")
    chosen = view.chosen if view.three is None else view.chosen | view.within(view.three)
    if not chosen.any() or int(view.fit[chosen].min()) != proof.least:
        raise _WrongError("the least fit is another one")
    if view.three is not None:
        return _with_triad(view, proof, pairs, view.three)
    if view.triads and left:
        if not isinstance(proof.triad, Refusal):
            raise _WrongError("that three together would leave as many is not proven")
        _refuse(view, proof.triad, np.ones(len(view.fit), dtype=np.bool_), left)
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
    _enough(view, proof.prices, view.fit >= proof.least)
    more = proof.prices.bound(pairs) - int(_worth(view)[view.chosen].sum())
    if more < 0:
        raise _WrongError("the bound is below what is there")
    return more


def _worth(view: _View) -> Numbers:
    worth: Numbers = 2 * view.fit.astype(np.int64) * unit(len(view.members)) - view.again
    return worth


def _enough(view: _View, prices: Prices, among: Flags) -> None:
    """Whether the prices pay for some of the possible pairs what they are worth."""
    people = len(view.members)
    worth = _worth(view)
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
        short = np.flatnonzero((lack > 0) & among[part])
        a, b, lack = a[short], b[short], lack[short]
        for own, much in sets:
            inside[own] = True
            lack[inside[a] & inside[b]] -= much
            inside[own] = False
        if (lack > 0).any():
            raise _WrongError("a pair is worth more than is paid for it")


def _with_triad(view: _View, proof: Part, pairs: int, three: Three) -> int:
    """How much more a component with a triad could be worth; that pairs alone leave one more is proven already."""
    triad = proof.triad
    if not isinstance(triad, Triad) or triad.three != three:
        raise _WrongError("that these three are best is not proven")
    alone = len(view.members) - 2 * pairs - 2
    _refuse(view, triad.above, view.fit > proof.least, alone)
    allowed = view.fit >= proof.least
    group = _groups(view, triad.within, allowed, alone)
    _enough(view, proof.prices, allowed)
    half = view.fit.astype(np.int64) * unit(len(view.members)) - view.again
    value = int(_worth(view)[view.chosen].sum() + half[view.within(three)].sum() - view.was[view.inside(three)].sum())
    refused = set()
    for other, barrier in triad.refused:
        _too_many(view, other, barrier, allowed, alone)
        refused.add(tuple(sorted(view.inside(other))))
    systems = [_System(view, prices, pairs) for prices in (proof.prices, *triad.prices)]
    for prices in triad.prices:
        _enough(view, prices, allowed)
    top = value
    among = allowed & (group[view.a] == group[view.b]) & (group[view.a] > 0)
    for threes, worths in _promising(view, systems[0], among, half, value):
        most = np.min([system.bounds(threes, worths) for system in systems], axis=0)
        for each, bound in zip(threes[most > top].tolist(), most[most > top].tolist(), strict=True):
            if tuple(each) not in refused:
                top = max(top, bound)
    return top - value


def _refuse(view: _View, refusal: Refusal, among: Flags, left: int) -> None:
    """Whether no triad of some possible pairs leaves fewer than `left`."""
    _hold(view, refusal.barrier, among)
    if refusal.barrier.proves(len(view.members)) > left:
        return
    group = _groups(view, refusal.barrier, among, left)
    refused = set()
    for three, barrier in refusal.refused:
        _too_many(view, three, barrier, among, left)
        refused.add(tuple(sorted(view.inside(three))))
    for threes, _pairs in _threes(view, among & (group[view.a] == group[view.b]) & (group[view.a] > 0)):
        if any(tuple(three) not in refused for three in threes.tolist()):
            raise _WrongError("that three together would leave as many is not proven")


def _groups(view: _View, barrier: Barrier, among: Flags, left: int) -> Ints:
    """The odd group of each person by a barrier that proves just `left`, from 1; 0 for who is in none, or
    may not be one of three.

    A triad that is not within one group takes as many of those set apart, or makes as many groups odd, that more are
    left.
    """
    _hold(view, barrier, among)
    if len(barrier.odd) - len(barrier.apart) != left:
        raise _WrongError("a barrier does not prove how many are left")
    label = np.zeros(len(view.members), dtype=np.int32)
    for number, group in enumerate(barrier.odd, start=1):
        label[view.inside(group)] = number
    label[~view.may] = 0
    return label


def _too_many(view: _View, three: Three, barrier: Barrier, among: Flags, left: int) -> None:
    """Whether with a triad as many as `left` or more are left: it counts as three who are left beside the others."""
    _hold(view, barrier, among & ~view.touching(three))
    if barrier.proves(len(view.members)) <= left + 2:
        raise _WrongError("that three together would leave more is not proven")


class _System:
    """What there can be with a triad by one system of prices.

    What the three are worth, and all that is paid but by them: an odd set with two or three of them pays for one pair
    less.
    """

    def __init__(self, view: _View, prices: Prices, pairs: int) -> None:
        self.prices, self.pairs = prices, pairs
        self.pays = np.array(prices.each, dtype=np.int64)
        self.base = sum(prices.each) + pairs * prices.size + sum(len(odd) // 2 * much for odd, much in prices.odd)
        self.sets = [(view.inside(odd), much) for odd, much in prices.odd]

    def bounds(self, threes: Numbers, worths: Numbers) -> Numbers:
        """Of threes, shape (k, 3), by own numbers, who are themselves worth `worths`; shape (k,)."""
        most: Numbers = self.base - self.pays[threes].sum(axis=1)
        for own, much in self.sets:
            most -= much * (np.isin(threes, own).sum(axis=1) >= 2)
        return worths + even(most // self.prices.scale, len(self.pays), self.pairs)


def _promising(
    view: _View, system: _System, among: Flags, half: Numbers, value: int
) -> Iterator[tuple[Numbers, Numbers]]:
    """The threes, shape (k, 3), of whom more than `value` could be expected by one system, and their worths, (k,).

    Each pair of the three loses 0 or more against the prices, odd sets included; where one alone loses too much, the
    three need not be looked at.
    """
    prices, pays = system.prices, system.pays
    loses = pays[view.a] + pays[view.b] + prices.size - 2 * prices.scale * half
    near = loses < 2 * system.base + 3 * prices.size - 2 * prices.scale * value
    for threes, rows in _threes(view, among & near):
        worths = half[rows].sum(axis=1) - view.was[threes].sum(axis=1)
        more = system.bounds(threes, worths) > value
        yield threes[more], worths[more]


def _threes(view: _View, among: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """All threes who are possible with each other by some pairs: own numbers ascending, and the places of the pairs."""
    edges = np.flatnonzero(among)
    low, high = np.minimum(view.a, view.b)[edges], np.maximum(view.a, view.b)[edges]
    order = np.lexsort((high, low))
    edges, low, high = edges[order], low[order], high[order]
    starts = np.searchsorted(low, np.arange(len(view.members) + 1))
    place = np.full(len(view.members), -1, dtype=np.int64)
    for one in np.unique(low).tolist():
        first = slice(starts[one], starts[one + 1])
        place[high[first]] = edges[first]
        for begin in range(starts[one], starts[one + 1], 1000):
            seconds = np.arange(begin, min(begin + 1000, starts[one + 1]))
            many = starts[high[seconds] + 1] - starts[high[seconds]]
            ends = np.cumsum(many)
            thirds = np.arange(many.sum()) + np.repeat(starts[high[seconds]] - ends + many, many)
            seconds = np.repeat(seconds, many)
            hit = place[high[thirds]] >= 0
            seconds, thirds = seconds[hit], thirds[hit]
            if len(thirds):
                threes = np.stack((np.full(len(thirds), one), high[seconds], high[thirds]), axis=1).astype(np.int64)
                yield threes, np.stack((edges[seconds], place[high[thirds]], edges[thirds]), axis=1)
        place[high[first]] = -1
