"""Several rounds planned together, so that this one takes no pair without which people would be left in a later one.

The aim is, in this order: fewest without a partner in this round, then in the next, and so on; nobody goes twice with
the same partner. Nobody is left today for the sake of a later round, since people come and go until then; and where
whole rounds are possible, this order has the greatest number of them. Then this round fits as well as it can.

Pairs of later rounds are kept in reserve: this round may choose from all others, so that whatever it chooses, those
planned stay possible. Where the best solution of all leaves room for the later rounds, nothing is kept back.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from time import monotonic

import numpy as np

from lti_tool.matching.alternating import ALONE, largest, mates, near
from lti_tool.matching.graph import components
from lti_tool.matching.plan_exactly import Chosen, Part, fittest, most_in_all, most_in_last
from lti_tool.matching.plan_rounds import Free, Rounds, filled, mended
from lti_tool.matching.problem import Flags, Ints, Problem, Solution
from lti_tool.matching.solve import solve
from lti_tool.matching.triads import triad_of_group

EXACT = 3000
"""Variables (pairs times rounds) up to which a plan is searched for by whole-number programming."""
BOUND = 20_000
"""Possible pairs up to which a bound over several rounds is computed."""
THIN = 40
"""Possible pairs for each person, and as many for each round, that are looked at first; nearly always they suffice."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept for later."""

    allowed: Flags
    """Shape (m,): which of the problem's pairs this round may use. All: the solution that was given can stay."""
    left: tuple[int, ...]
    """How many are without a partner in each round by the plan, this one first."""
    least: tuple[int, ...]
    """How many are at least, given those before: proven. Where they are equal no plan is better."""
    reserve: tuple[tuple[tuple[int, int], ...], ...]
    """The pairs of each later round; of three together all three."""

    @property
    def later(self) -> tuple[int, ...]:
        """How many are without a partner in each round after this one."""
        return self.left[1:]

    @property
    def is_best(self) -> bool:
        """Whether it is proven that no plan leaves fewer."""
        return self.left == self.least


def plan(
    problem: Problem,
    rounds: int,
    now: Solution | None = None,
    *,
    seconds: float = 10.0,
    tell: Callable[[], None] = lambda: None,
) -> Plan:
    """Plan this round and rounds - 1 later ones; each component of possible pairs by itself.

    `now`: the solution of this round alone; it stays if no later round is the worse for it. `seconds`: how long
    whole-number programs may search in all; what else is done takes a few seconds for 1,000 people. `tell` is called
    now and then; what it raises goes through.
    """
    until = monotonic() + seconds
    left, least = np.zeros(rounds, dtype=int), np.zeros(rounds, dtype=int)
    kept: list[list[int]] = [[] for _ in range(rounds)]
    stays = now is not None
    groups = _groups(problem.people, now)
    alone = cache(lambda: _one_by_one(problem, now, rounds, tell)) if now and problem.pairs <= BOUND else None
    for people, places in _parts(problem):
        if not len(places):
            left += len(people)
            least += len(people)
            continue
        planned = _thinly(problem, people, places, groups, rounds, until, alone, tell)
        left += planned.left
        least += planned.least
        stays = stays and planned.stays
        for at, chosen in enumerate(planned.chosen):
            kept[at] += places[chosen].tolist()
    allowed = np.ones(problem.pairs, dtype=np.bool_)
    if not stays:
        allowed[[place for chosen in kept[1:] for place in chosen]] = False
    ends = list(zip(problem.first.tolist(), problem.second.tolist(), strict=True))
    reserve = tuple(tuple(sorted(ends[place] for place in chosen)) for chosen in kept[1:])
    return Plan(allowed, tuple(left.tolist()), tuple(least.tolist()), reserve)


def narrowed(problem: Problem, allowed: Flags) -> Problem:
    """The problem with only some of its possible pairs."""
    columns = {name: getattr(problem, name)[allowed] for name in ("first", "second", "fit", "again")}
    return replace(problem, **columns)


def _groups(people: int, now: Solution | None) -> list[tuple[int, ...]] | None:
    """For each person the others of the same pair or triad; None without a solution."""
    if now is None:
        return None
    groups: list[tuple[int, ...]] = [()] * people
    for group in (*now.pairs, *now.triads):
        for each in group:
            groups[each] = tuple(other for other in group if other != each)
    return groups


def _parts(problem: Problem) -> Iterator[tuple[Ints, Ints]]:
    """The people of each component, in order, and the places of its pairs."""
    label = components(problem.people, problem.first, problem.second)
    names = np.unique(label)
    order, of_pair = np.argsort(label, kind="stable"), label[problem.first]
    pairs = np.argsort(of_pair, kind="stable")
    whose, which = label[order], of_pair[pairs]
    for each in names:
        yield order[whose == each].astype(np.int32), pairs[which == each].astype(np.int32)


@dataclass(slots=True)
class _Planned:
    chosen: Chosen
    """By round the places of its pairs in the component; of a triad all three."""
    left: list[int]
    least: list[int]
    stays: bool
    """Whether this round is the given one."""


def _thinly(
    problem: Problem,
    people: Ints,
    places: Ints,
    groups: list[tuple[int, ...]] | None,
    rounds: int,
    until: float,
    alone: Callable[[], list[list[int]]] | None,
    tell: Callable[[], None],
) -> _Planned:
    """The plan of a component, sought among a few of its pairs first where there are many."""
    few = THIN * (rounds + 1) * len(people)
    if len(places) > 2 * few:
        drawn = np.random.default_rng(problem.seed).random(len(places))
        if groups is not None:
            ends = zip(problem.first[places].tolist(), problem.second[places].tolist(), strict=True)
            drawn[[b in groups[a] for a, b in ends]] = 0
        some = np.sort(np.argpartition(drawn, few)[:few])
        planned = _plan_part(problem, people, places[some], groups, rounds, 0, None, tell)
        if planned.left == [len(people) % 2 if not problem.triads else 0] * rounds:
            return replace(planned, chosen=[some[chosen].tolist() for chosen in planned.chosen])
    return _plan_part(problem, people, places, groups, rounds, until, alone, tell)


def _plan_part(
    problem: Problem,
    people: Ints,
    places: Ints,
    groups: list[tuple[int, ...]] | None,
    rounds: int,
    until: float,
    alone: Callable[[], list[list[int]]] | None,
    tell: Callable[[], None],
) -> _Planned:
    own = np.zeros(problem.people, dtype=np.int32)
    own[people] = np.arange(len(people))
    first, second = own[problem.first[places]], own[problem.second[places]]
    part = Part(len(people), first, second, problem.fit[places], ~problem.again[places])
    may = (problem.may_be_three[people] & problem.triads).tolist()
    everybody = near(part.people, first, second)
    once = near(part.people, first[part.new], second[part.new])
    nobody = [ALONE] * part.people
    least = [largest(nobody, everybody).count(ALONE), *([largest(nobody, once).count(ALONE)] * (rounds - 1))]
    state = Rounds.of(part, rounds, everybody, tell)
    triad = [] if groups is None else _give_now(state, people, own, groups)
    if groups is not None:
        empty, state = state.copy(), filled(state, range(1, rounds), least, problem.seed)
        if state.left() != least and alone is not None:
            for at, mate in enumerate(alone(), start=1):
                empty.give(at, [ALONE if mate[each] == ALONE else int(own[mate[each]]) for each in people])
            state = min(state, empty, key=Rounds.left)
        state = mended(state, least, 1, problem.seed)
        if state.left() == least:
            return _finished(state, least, may, triad, True)
    free = state.copy()
    for place in triad:
        free.holds.pop(place)
    free = mended(filled(free, range(rounds), least, problem.seed), least, 0, problem.seed)
    if part.pairs * rounds <= EXACT:
        free = _exactly(free, least, until)
    elif part.pairs <= BOUND:
        _bounds(free, least, until)
    if groups is not None and state.left() <= free.left():
        return _finished(state, least, may, triad, True)
    if part.pairs * rounds <= EXACT:
        free = _fit(free, until)
    return _finished(free, least, may, [], False)


def _give_now(state: Rounds, people: Ints, own: Ints, groups: list[tuple[int, ...]]) -> list[int]:
    """Give the first round what the solution has; returns the places of the two pairs that a triad has beyond one."""
    mate, triad = [ALONE] * state.part.people, []
    for a, person in enumerate(people.tolist()):
        others = [int(own[other]) for other in groups[person]]
        if len(others) == 1:
            mate[a] = others[0]
        elif others and a < min(others):
            b, c = others
            mate[a], mate[b] = b, a
            triad = [state.place(a, c), state.place(b, c)]
    state.give(0, mate)
    state.holds.update(dict.fromkeys(triad, 0))
    return triad


def _one_by_one(problem: Problem, now: Solution, rounds: int, tell: Callable[[], None]) -> list[list[int]]:
    """The partner of each in each later round, if every round is solved alone: a plan must not be worse than this."""
    free = ~problem.again
    key = problem.first.astype(np.int64) * problem.people + problem.second
    found = now
    later = []
    for _ in range(1, rounds):
        pairs = [*found.pairs, *(pair for three in found.triads for pair in combinations(three, 2))]
        free = free & ~np.isin(key, [a * problem.people + b for a, b in pairs])
        found = solve(replace(narrowed(problem, free), triads=False), lambda _key, _share: tell())
        later.append(mates(problem.people, found.pairs))
    return later


def _exactly(state: Rounds, least: list[int], until: float) -> Rounds:
    """As few left as can be in one round after the other; what is proven is entered in `least`."""
    for at in range(len(least)):
        while state.left()[at] > least[at] and monotonic() < until:
            start = state.chosen()[: at + 1]
            better, top = most_in_last(state.part, start, until)
            least[at] = max(least[at], state.part.people - 2 * top)
            if better is start:
                break
            state = state.of_chosen(better).fill(range(at + 1, len(least)))
            state = mended(state, least, at + 1)
    return state


def _bounds(state: Rounds, least: list[int], until: float) -> None:
    """Enter in `least` what follows from how many pairs so many rounds can have together."""
    before = 0
    for at, left in enumerate(state.left()):
        if at and left > least[at] and monotonic() < until:
            top = most_in_all(state.part, at + 1, until) - before
            least[at] = max(least[at], state.part.people - 2 * top)
        before += (state.part.people - left) // 2


def _fit(state: Rounds, until: float) -> Rounds:
    """The plan with as few left in each round whose first round fits best: its worst pair first, then all of them."""
    fits = sorted(set(state.part.fit.tolist()))
    low, high = 0, len(fits) - 1  # a plan whose pairs fit fits[low] at least is known
    best = fittest(state.part, state.chosen(), fits[0], (2 * monotonic() + until) / 3)
    while best is not None and low < high and monotonic() < until:
        middle = (low + high + 1) // 2
        found = fittest(state.part, state.chosen(), fits[middle], until)
        if found is None:
            high = middle - 1
        else:
            best, low = found, middle
    return state if best is None else state.of_chosen(best)


def _finished(state: Rounds, least: list[int], may: list[bool], triad: list[int], stays: bool) -> _Planned:
    """With three together in each round that leaves somebody, where three are allowed and the pairs for it are free."""
    if any(may) and not stays and state.left()[0]:
        triad = _triad_now(state, may)
    left, chosen = state.left(), state.chosen()
    if any(may):
        for at in range(len(left)):
            more = triad if at == 0 else _triad_later(state, at, may)
            chosen[at] += more
            left[at] -= bool(more)
        least = [each - 1 if each else 0 for each in least]
        if left[0] == least[0] + 1 and not triad:
            least[0] += 1  # no three could go together, or they would
    return _Planned(chosen, left, least, stays)


def _triad_now(state: Rounds, may: list[bool]) -> list[int]:
    """Leave the pairs of some three to this round, if need be at the cost of later rounds, the last first.

    Returns two places, which no later round holds: some proof that three can go together; which three, the search says.
    """
    alone = [each for each, partner in enumerate(state.mates[0]) if partner == ALONE]
    if not any(triad_of_group(person, state.mates[0], state.near, may) for person in alone):
        return []
    for at in range(len(state.mates) - 1, -1, -1):
        free = Free(state, 0)
        lists = [free[each] for each in range(state.part.people)]
        for three in (triad_of_group(person, state.mates[0], lists, may) for person in alone):
            if three:
                places = [state.place(*pair) for pair in combinations(three, 2)]
                return [place for place in places if place not in state.holds]
        if at:
            state.give(at, [ALONE] * state.part.people)
    return []


def _triad_later(state: Rounds, at: int, may: list[bool]) -> list[int]:
    """The places of two pairs by which somebody left in a later round can join a pair of it."""
    free = Free(state, at)
    for person, partner in enumerate(state.mates[at]):
        if partner == ALONE:
            others = set(free[person])
            for other in others:
                third = state.mates[at][other]
                if other < third and third in others and may[person] and may[other] and may[third]:
                    more = [state.place(person, other), state.place(person, third)]
                    state.holds.update(dict.fromkeys(more, at))
                    return more
    return []
