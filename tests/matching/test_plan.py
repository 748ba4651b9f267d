"""Several rounds planned together: held against every plan there is, and against planning each round alone."""

import random
from functools import cache
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from lti_tool.matching.certificate import Certificate
from lti_tool.matching.plan import Plan, narrowed, plan
from lti_tool.matching.problem import Problem, Solution, problem

Pairs = frozenset[tuple[int, int]]


def fitting(given: Problem) -> Pairs:
    """Pairs of one round alone: as many as possible, then the greatest total."""
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(given.first.tolist(), given.second.tolist(), given.fit.tolist(), strict=True))
    return frozenset((min(two), max(two)) for two in nx.max_weight_matching(graph, maxcardinality=True))


def solution(given: Problem, pairs: Pairs) -> Solution:
    left = set(range(given.people)) - {each for pair in pairs for each in pair}
    return Solution(tuple(sorted(pairs)), (), tuple(sorted(left)), Certificate())


def without(given: Problem, met: set[tuple[int, int]]) -> Problem:
    ends = zip(given.first.tolist(), given.second.tolist(), strict=True)
    return narrowed(given, np.array([pair not in met for pair in ends], dtype=np.bool_))


def school(seed: int, people: int = 12, share: float = 0.72) -> Problem:
    draw = random.Random(seed)
    pairs = [pair for pair in combinations(range(people), 2) if draw.random() < share]
    return problem(people, [(*pair, draw.randint(1, 20)) for pair in pairs])


def whole_rounds(given: Problem) -> int:
    """In how many rounds everybody can have a partner, never the same twice: by trying every way there is.

    Rounds are put in the order of the partner of the person with fewest, so that each way is tried once.
    """
    edges = frozenset(zip(given.first.tolist(), given.second.tolist(), strict=True))

    @cache
    def ways(people: frozenset[int]) -> tuple[Pairs, ...]:
        if not people:
            return (frozenset(),)
        first = min(people)
        others = [each for each in people if (first, each) in edges]
        return tuple(way | {(first, each)} for each in others for way in ways(people - {first, each}))

    count = [sum(each in pair for pair in edges) for each in range(given.people)]
    rarest = count.index(min(count))
    by_partner: dict[int, list[Pairs]] = {}
    for way in ways(frozenset(range(given.people))):
        ((partner,),) = [set(pair) - {rarest} for pair in way if rarest in pair]
        by_partner.setdefault(partner, []).append(way)
    order = sorted(by_partner)

    @cache
    def most(at: int, free: Pairs) -> int:
        if at == len(order):
            return 0
        top = len(order) - at - 1
        best = most(at + 1, free)
        for way in by_partner[order[at]]:
            if best > top:
                break
            if way <= free:
                best = max(best, 1 + most(at + 1, free - way))
        return best

    return most(0, edges)


def walked(given: Problem, rounds: int, *, ahead: bool) -> list[int]:
    """How many are left in each round, if each takes the best of what it may and then is over."""
    met: set[tuple[int, int]] = set()
    left = []
    for at in range(rounds):
        today = without(given, met)
        pairs = fitting(today)
        if ahead:
            planned = plan(today, rounds - at, solution(today, pairs))
            today = narrowed(today, planned.allowed)
            pairs = fitting(today)
        met |= pairs
        left.append(given.people - 2 * len(pairs))
    return left


@pytest.mark.parametrize(("seed", "share"), [(1, 0.72), (5, 0.8), (7, 0.76)])
def test_twelve_teachers_have_partners_as_long_as_it_is_possible_at_all(seed: int, share: float) -> None:
    given = school(seed, 12, share)
    possible = whole_rounds(given)
    alone, ours = walked(given, 8, ahead=False), walked(given, 8, ahead=True)
    planned = plan(given, 8)
    assert planned.is_best
    assert planned.left == tuple(ours)
    assert ours[:possible] == [0] * possible
    assert possible == 8 or ours[possible] > 0
    assert any(alone[:possible]), "planning each round alone strands nobody here: take another school"


def test_counts_of_small_schools_are_those_of_every_plan_there_is() -> None:
    for seed in range(25):
        draw = random.Random(seed)
        given = school(seed, draw.choice((4, 5, 6)), 0.7)
        edges = list(zip(given.first.tolist(), given.second.tolist(), strict=True))
        rounds = [
            frozenset(some)
            for size in range(len(edges) + 1)
            for some in combinations(edges, size)
            if size * 2 == len({each for pair in some for each in pair})
        ]

        def fewest(free: Pairs, more: int, rounds: list[Pairs] = rounds, people: int = given.people) -> tuple[int, ...]:
            if not more:
                return ()
            ways = [each for each in rounds if each <= free]
            top = max(len(each) for each in ways)
            return min((people - 2 * top, *fewest(free - each, more - 1)) for each in ways if len(each) == top)

        planned = plan(given, 3)
        assert planned.left == planned.least == fewest(frozenset(edges), 3), seed


@pytest.mark.parametrize(("people", "share"), [(24, 0.3), (41, 0.2), (100, 0.08)])
def test_whatever_this_round_takes_the_later_ones_stay_possible(people: int, share: float) -> None:
    given = school(people, people, share)
    planned = plan(given, 4, seconds=1)
    _is_sound(given, planned)
    assert planned.left >= planned.least
    alone = walked(given, 4, ahead=False)
    assert list(planned.left) <= alone


def _is_sound(given: Problem, planned: Plan) -> None:
    kept = [pair for pairs in planned.reserve for pair in pairs]
    assert len(kept) == len(set(kept))
    ends = set(zip(given.first.tolist(), given.second.tolist(), strict=True))
    assert set(kept) <= ends
    for pairs, left in zip(planned.reserve, planned.later, strict=True):
        people = {each for pair in pairs for each in pair}
        assert len(people) + left == given.people
    today = narrowed(given, planned.allowed)
    assert given.people - 2 * len(fitting(today)) == planned.left[0]
    if not planned.allowed.all():
        assert not set(zip(today.first.tolist(), today.second.tolist(), strict=True)) & set(kept)


def test_the_best_of_all_stays_where_later_rounds_have_room() -> None:
    given = school(3, 30, 0.9)
    best = fitting(given)
    planned = plan(given, 4, solution(given, best))
    assert planned.allowed.all()
    assert planned.left == (0, 0, 0, 0)
    assert not best & {pair for pairs in planned.reserve for pair in pairs}


def test_who_has_met_is_not_planned_for_later() -> None:
    pairs = [(0, 1, 9), (2, 3, 9), (0, 2, 1), (1, 3, 1)]
    assert plan(problem(4, pairs), 2).left == (0, 0)
    assert plan(problem(4, pairs, again=[(0, 1)]), 2).left == (0, 0)
    assert plan(problem(4, pairs, again=[(0, 1), (0, 2)]), 2).left == (0, 2)


def test_this_round_fits_as_well_as_a_plan_lets_it() -> None:
    square = [(0, 1, 9), (2, 3, 9), (0, 2, 5), (1, 3, 4), (0, 3, 1), (4, 5, 3), (1, 4, 1), (2, 5, 1)]
    given = problem(6, square)
    planned = plan(given, 2)
    assert planned.left == (0, 0)
    worst = {}
    for first in ([(0, 1), (2, 3), (4, 5)], [(0, 2), (1, 3), (4, 5)], [(0, 3), (1, 4), (2, 5)]):
        rest = without(given, set(first))
        worst[tuple(first)] = 2 * len(fitting(rest)) == 6 and min(fit for *pair, fit in square if tuple(pair) in first)
    taken = fitting(narrowed(given, planned.allowed))
    assert min(fit for *pair, fit in square if tuple(pair) in taken) == max(worst.values())


def test_three_go_together_in_rounds_that_would_leave_somebody() -> None:
    everybody = [(a, b, 5) for a, b in combinations(range(9), 2)]
    planned = plan(problem(9, everybody, triads=True), 4)
    assert planned.left == planned.least == (0, 0, 0, 0)
    assert sorted(map(len, planned.reserve)) == [6, 6, 6]
    assert len({pair for pairs in planned.reserve for pair in pairs}) == 18
    path = problem(3, [(0, 1, 1), (1, 2, 1)], triads=True)
    assert plan(path, 2).left == (1, 1)


def test_a_plan_can_be_stopped():
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        plan(school(1), 3, tell=stop)
