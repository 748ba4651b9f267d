"""Why somebody is left, and what would help: held against networkx on small cases."""

import random
from itertools import combinations
from time import process_time

import networkx as nx
import pytest

from lti_tool.matching.alternating import largest, near
from lti_tool.matching.certificate import Certificate
from lti_tool.matching.gaps import Crowd, Gaps, helps
from lti_tool.matching.problem import Problem, Solution, problem
from lti_tool.matching.triads import frees, triad_of_group

Edges = list[tuple[int, int]]


def some(people: int, share: float, draw: random.Random) -> Edges:
    return [pair for pair in combinations(range(people), 2) if draw.random() < share]


def solved(given: Problem) -> Solution:
    mate = largest([-1] * given.people, near(given.people, given.first, given.second))
    pairs = tuple((a, b) for a, b in enumerate(mate) if a < b)
    return Solution(pairs, (), tuple(each for each, other in enumerate(mate) if other < 0), Certificate())


def most(people: int, edges: Edges, without: tuple[int, ...] = ()) -> int:
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(people))
    graph.remove_nodes_from(without)
    return len(nx.max_weight_matching(graph, maxcardinality=True))


@pytest.mark.parametrize("seed", range(200))
def test_a_change_helps_if_and_only_if_one_more_pair_comes_about(seed: int) -> None:
    draw = random.Random(seed)
    people = draw.randint(3, 10)
    edges = some(people, draw.choice((0.1, 0.2, 0.3, 0.5)), draw)
    given = problem(people, [(a, b, 1) for a, b in edges])
    solution = solved(given)
    assert len(solution.pairs) == most(people, edges)
    gaps = Gaps(given, solution)
    for person in solution.left:
        others = [other for other in range(people) if other != person and draw.random() < 0.3]
        added = [(person, other) for other in others if (min(person, other), max(person, other)) not in edges]
        more = most(people, edges + added) > len(solution.pairs)
        assert gaps.helps(person, {"other_school": added}) == ("other_school" if more else "")
        assert gaps.helps(person, {"period": added, "joins": [(person, people)]}) == ("period" if more else "joins")
        assert gaps.helps(person, {"joins": [(other, people) for other in others]}) in ("joins", "")


@pytest.mark.parametrize("seed", range(120))
def test_three_go_together_if_and_only_if_then_one_fewer_is_left(seed: int) -> None:
    draw = random.Random(seed)
    people = draw.choice((3, 5, 7, 9))
    edges = some(people, draw.choice((0.2, 0.35, 0.5)), draw)
    given = problem(people, [(a, b, 1) for a, b in edges])
    solution = solved(given)
    by = near(people, given.first, given.second)
    mate = [(solution.with_whom(each) or (-1,))[0] for each in range(people)]
    threes = [three for three in combinations(range(people), 3) if all(two in edges for two in combinations(three, 2))]
    good = {three for three in threes if most(people, edges, three) == len(solution.pairs) - 1}
    assert {three for three in threes if frees(three, mate, by)} == good
    for person in solution.left:
        three = triad_of_group(person, mate, by, [True] * len(mate))
        assert three in good if three else len(solution.left) > 1 or not good
        assert helps(given, solution, person, {"triad": ()}) == ("triad" if three else "")


def test_the_first_change_in_order_is_named() -> None:
    given = problem(3, [(0, 1, 1), (0, 2, 1), (1, 2, 1)])
    everything = {"triad": (), "other_school": [(2, 3)], "joins": [(2, 3)]}
    (person,) = solved(given).left
    assert helps(given, solved(given), person, everything) == "triad"
    star = problem(4, [(0, 1, 1), (0, 2, 1), (0, 3, 1)])
    person, other = solved(star).left
    assert helps(star, solved(star), person, {"triad": (), "period": [(person, other)], "joins": ()}) == "period"
    assert helps(star, solved(star), person, {"triad": (), "period": ()}) == ""


def test_a_count_is_shown_only_where_it_tells_nobody() -> None:
    def crowd(partners: int, people: int) -> Crowd | None:
        edges = [(a, partners + b, 1) for a in range(partners) for b in range(people)]
        given = problem(partners + people, edges)
        solution = solved(given)
        return Gaps(given, solution).crowd(solution.left[0])

    assert crowd(5, 6) == Crowd(6, 5, 6)
    assert crowd(4, 6) is None  # who everybody competes for could be told
    assert crowd(1, 2) is None
    odd = problem(5, [(a, b, 1) for a, b in combinations(range(5), 2)])
    assert Gaps(odd, solved(odd)).crowd(solved(odd).left[0]) == Crowd(5, 0, 1)


def test_all_who_are_left_in_a_large_round_are_told_at_once() -> None:
    draw = random.Random(4)
    edges = sorted({(min(two), max(two)) for two in (draw.sample(range(1000), 2) for _ in range(1500))})
    given = problem(1000, [(a, b, 1) for a, b in edges])
    solution = solved(given)
    started = process_time()
    gaps = Gaps(given, solution)
    said = [gaps.helps(each, {"triad": (), "joins": [(each, 1000)]}) for each in solution.left]
    assert len(said) > 40
    assert "" not in said
    assert process_time() - started < 2  # measured: 0.02
