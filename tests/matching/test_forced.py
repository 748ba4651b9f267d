"""What it costs to keep two together or apart: held against every way there is."""

import random
from itertools import combinations
from time import process_time

import numpy as np
import pytest

from lti_tool.matching.forced import LEAST, alternatives, cost
from lti_tool.matching.problem import Problem, Solution, problem
from lti_tool.matching.solve import solve
from lti_tool.matching.values import values

Groups = list[tuple[int, ...]]


def school(seed: int, people: int, share: float, *, triads: bool = False) -> Problem:
    draw = random.Random(seed)
    chain = {(at, at + 1) for at in range(people - 1)}  # all hang together
    pairs = [pair for pair in combinations(range(people), 2) if pair in chain or draw.random() < share]
    rows = [(*pair, draw.randint(1, 9)) for pair in pairs]
    again = [pair for pair in pairs if draw.random() < 0.2]
    return problem(people, rows, again=again, triads=triads, seed=seed)


def ways(people: frozenset[int], possible: set[tuple[int, int]], triads: int) -> list[Groups]:
    if not people:
        return [[]]
    first, *others = sorted(people)
    found = ways(people - {first}, possible, triads)
    for other in others:
        if (first, other) in possible:
            found = found + [[(first, other), *way] for way in ways(people - {first, other}, possible, triads)]
    for b, c in combinations(others, 2) if triads else ():
        if {(first, b), (first, c), (b, c)} <= possible:
            found = found + [[(first, b, c), *way] for way in ways(people - {first, b, c}, possible, 0)]
    return found


def order(given: Problem, groups: Groups) -> tuple[int, int, int, int]:
    left = set(range(given.people)) - {each for group in groups for each in group}
    pairs = [(group[0], group[1]) for group in groups if len(group) == 2]
    triads = [(group[0], group[1], group[2]) for group in groups if len(group) == 3]
    found = values(given, pairs, triads, left)
    return found.left, -found.worst, -found.total, found.again


def forced(given: Problem, pair: tuple[int, int], apart: tuple[tuple[int, int], ...]) -> tuple[int, int, int, int]:
    """The best values with a pair kept together and others apart, of a school that hangs together."""
    rest = frozenset(range(given.people)) - set(pair)
    possible = set(zip(given.first.tolist(), given.second.tolist(), strict=True)) - set(apart)
    found = [[pair, *way] for way in ways(rest, possible, given.triads)]
    alone = min(given.people - 2 * len(way) for way in found if all(len(group) == 2 for group in way))
    return min(
        order(given, way)
        for way in found
        if all(len(group) == 2 for group in way) or given.people - sum(map(len, way)) < alone
    )


def groups(solution: Solution) -> Groups:
    return [*solution.pairs, *solution.triads]


@pytest.mark.parametrize("triads", [False, True])
def test_the_cost_of_a_pair_is_that_of_the_best_way_with_it(triads: bool) -> None:
    for seed in range(16):
        given = school(seed, 7 if triads else 8, 0.3, triads=triads)
        found = solve(given)
        before = order(given, groups(found))
        draw = random.Random(seed)
        for pair in draw.sample(sorted(zip(given.first.tolist(), given.second.tolist(), strict=True)), 4):
            apart = (found.pairs[0],) if not set(found.pairs[0]) & set(pair) else ()
            said = cost(given, found, [pair], apart)
            if pair[1] in found.with_whom(pair[0]) and not apart:
                assert said.order == (0, 0, 0, 0)
                assert groups(said.solution) == groups(found)
                continue
            if pair[1] in found.with_whom(pair[0]):
                continue
            after = order(given, groups(said.solution))
            assert after == forced(given, pair, apart), (seed, pair)
            assert said.order == tuple(b - a for a, b in zip(before, after, strict=True))
            assert pair[1] in said.solution.with_whom(pair[0])


def test_a_pair_that_the_rules_forbid_costs_as_one_that_fits_least() -> None:
    square = [(0, 1, 5), (1, 2, 5), (2, 3, 5), (0, 3, 5)]
    given = problem(4, square)
    found = solve(given)
    forbidden = cost(given, found, [(2, 0)])
    assert forbidden.order == (2, 4, 18, 0)
    assert forbidden.solution.pairs == ((0, 2),)
    assert forbidden.solution.left == (1, 3)
    fits = problem(4, [*square, (0, 2, LEAST)])
    assert cost(fits, solve(fits), [(0, 2)]).order == forbidden.order
    assert cost(given, found, [(0, 2), (1, 3)], fits={(0, 2): 5, (1, 3): 5}).order == (0, 0, 0, 0)
    with pytest.raises(ValueError, match="two pairs"):
        cost(given, found, [(0, 2), (2, 3)])


def test_only_those_concerned_are_solved_again() -> None:
    given = problem(6, [(0, 1, 3), (2, 3, 3), (4, 5, 1)])
    found = solve(given)
    said = cost(given, found, [(0, 2)])
    assert said.order == (2, 2, 10, 0)
    assert said.solution.pairs == ((0, 2), (4, 5))
    assert cost(given, found, apart=[(4, 5)]).order == (2, 1, 2, 0)
    assert cost(given, found, apart=[(0, 4)]).order == (0, 0, 0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_alternatives_are_the_least_costly_of_all(seed: int) -> None:
    given = school(seed, 14, 0.5)
    found = solve(given)
    for person in range(0, 14, 3):
        others = {b if a == person else a for a, b in zip(given.first.tolist(), given.second.tolist(), strict=True)
                  if person in (a, b)} - set(found.with_whom(person))  # fmt: skip
        every = sorted(cost(given, found, [(person, other)]).order for other in others)
        said = alternatives(given, found, person, 3)
        assert [each.order for _other, each in said] == every[:3]
        for other, each in said:
            assert other in each.solution.with_whom(person)
            assert sorted(p for g in (*groups(each.solution), each.solution.left) for p in g) == list(range(14))


def test_with_a_triad_what_is_said_is_a_way_there_is() -> None:
    given = school(2, 13, 0.7, triads=True)
    found = solve(given)
    assert found.triads
    before = order(given, groups(found))
    for person in range(13):
        said = alternatives(given, found, person, 3)
        assert said
        for other, each in said:
            assert other in each.solution.with_whom(person)
            after = order(given, groups(each.solution))
            assert each.order == tuple(b - a for a, b in zip(before, after, strict=True))
            assert each.order >= cost(given, found, [(person, other)]).order


def test_alternatives_among_a_thousand_come_at_once() -> None:
    draw = np.random.default_rng(5)
    first, second = np.triu_indices(1000, 1)
    some = draw.random(len(first)) < 0.1
    first, second = first[some].astype(np.int32), second[some].astype(np.int32)
    topics = draw.random((1000, 30)) < 0.13
    fit = (1 + 2 * (topics[first] & topics[second]).sum(1)).astype(np.int32)
    given = Problem(1000, first, second, fit, np.zeros(len(fit), bool), np.zeros(1000, bool))
    found = solve(given)
    started = process_time()
    assert len(alternatives(given, found, 17, 5)) == 5
    assert process_time() - started < 3  # measured: 0.3
