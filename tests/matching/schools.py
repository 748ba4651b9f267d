"""Random schools, and their best pairs found by other means: networkx, and every way there is."""

from collections.abc import Iterator
from itertools import combinations

import networkx as nx
import numpy as np

from lti_tool.matching.problem import Problem, problem
from lti_tool.matching.values import Values, values

Pairs = list[tuple[int, int]]


def school(seed: int, least: int = 4, most: int = 40) -> Problem:
    """A school of that many people, with few or many possible pairs, whose fits are much alike or all different."""
    draw = np.random.default_rng(seed)
    people = int(draw.integers(least, most + 1))
    share = draw.choice([0.05, 0.1, 0.2, 0.4, 0.8])
    fits = int(draw.choice([2, 5, 30, 999]))
    pairs = [pair for pair in combinations(range(people), 2) if draw.random() < share]
    return problem(
        people,
        [(a, b, int(draw.integers(1, fits + 1))) for a, b in pairs],
        again=[pair for pair in pairs if draw.random() < 0.3],
        seed=seed,
    )


def rows(given: Problem) -> list[tuple[int, int, int, bool]]:
    columns = (given.first, given.second, given.fit, given.again)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def parts(given: Problem) -> list[set[int]]:
    """Who hangs together, by networkx."""
    graph = nx.Graph()
    graph.add_nodes_from(range(given.people))
    graph.add_edges_from((a, b) for a, b, _fit, _again in rows(given))
    return [set(part) for part in nx.connected_components(graph)]


def by_part(given: Problem, pairs: Pairs) -> list[Values]:
    """The values of each part by itself."""
    found = []
    for part in parts(given):
        own = [pair for pair in pairs if pair[0] in part]
        paired = {each for pair in own for each in pair}
        found.append(values(given, own, (), part - paired))
    return found


def rank(found: list[Values]) -> list[tuple[int, int, int, int]]:
    """By the order of aims; smaller is better."""
    return [(each.left, -each.worst, -each.total, each.again) for each in found]


def by_networkx(given: Problem) -> Pairs:
    """Best pairs by networkx: each part's greatest number of pairs at one level after another, down from the best."""
    chosen: Pairs = []
    for part in parts(given):
        own = [row for row in rows(given) if row[0] in part]
        if not own:
            continue
        most = len(_networkx(own))
        levels = sorted({fit for _a, _b, fit, _again in own})
        low, high = 0, len(levels)
        while low < high - 1:
            middle = (low + high) // 2
            if len(_networkx([row for row in own if row[2] >= levels[middle]])) == most:
                low = middle
            else:
                high = middle
        chosen += _networkx([row for row in own if row[2] >= levels[low]])
    return chosen


def _networkx(own: list[tuple[int, int, int, bool]]) -> Pairs:
    graph = nx.Graph()
    graph.add_weighted_edges_from((a, b, 2 * fit * 100 - again) for a, b, fit, again in own)
    return [(min(pair), max(pair)) for pair in nx.max_weight_matching(graph, maxcardinality=True)]


def by_every_way(given: Problem) -> list[tuple[int, int, int, int]]:
    """The rank of the best pairs, from all sets of pairs there are."""
    possible = {(a, b) for a, b, _fit, _again in rows(given)}
    best = []
    for part in parts(given):
        ways = _ways(sorted(part), possible)
        best.append(
            min(rank([values(given, way, (), part - {each for pair in way for each in pair})])[0] for way in ways)
        )
    return best


def _ways(people: list[int], possible: set[tuple[int, int]]) -> Iterator[Pairs]:
    if not people:
        yield []
        return
    first, *others = people
    yield from _ways(others, possible)
    for other in others:
        if (first, other) in possible:
            for way in _ways([each for each in others if each != other], possible):
                yield [(first, other), *way]


def greedy(given: Problem) -> Pairs:
    """The pair that fits best first, then the best of the others, as many tools do it."""
    taken: set[int] = set()
    chosen = []
    for a, b, _fit, _again in sorted(rows(given), key=lambda row: -row[2]):
        if not taken & {a, b}:
            taken |= {a, b}
            chosen.append((a, b))
    return chosen
