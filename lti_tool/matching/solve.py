"""The best set of pairs, with its proof. Each component of possible pairs is solved alone, one aim after another."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from lti_tool.matching.alternating import ALONE
from lti_tool.matching.best_triad import WithTriad, best_triad
from lti_tool.matching.certificate import Barrier, Certificate, Part, Prices, Refusal, Three
from lti_tool.matching.fewest import fewest_left, greatest_least, narrowed
from lti_tool.matching.graph import Graph, best_of_each, parts
from lti_tool.matching.problem import Flags, Ints, Problem, Solution
from lti_tool.matching.total import greatest_total

Tell = Callable[[str, float], None]
"""Is called now and then with a key of what is done and its share, 0 to 1; it may raise to stop the search."""
CANDIDATES = 12
"""With how many pairs of each person the search begins; it adds others where they are missing."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best pairs of one graph, with its own numbers."""

    mate: list[int]
    """The partner of each person, or ALONE."""
    left: Barrier
    least: int
    """The least fit of a pair; 0 if there is none."""
    worst: Barrier | None
    worth: int
    """The sum of what the pairs are worth, by certificate.worth with the graph's size."""
    prices: Prices
    gap: int
    """How much more the worth could be at most; 0: proven best."""


def solve(problem: Problem, tell: Tell | None = None) -> Solution:
    """The best pairs by the order of aims, with the certificate that check.py verifies.
    The same problem and seed have the same answer. What `tell` raises goes through.
    """
    said = tell or _silent
    said("reading", 0)
    pairs: list[tuple[int, int]] = []
    triads: list[Three] = []
    proofs: list[Part] = []
    done = 0
    for people, graph in parts(problem):
        telling = _within(said, done / problem.people, graph.size / problem.people)
        found = best(graph, telling)
        proof = proof_of(found, people)
        mate = found.mate
        if problem.triads and ALONE in mate:
            more = triad_beside(graph, found, problem.was_in_triad[people], problem.may_be_three[people], telling)
            proof = with_triad(proof, more, people)
            if isinstance(more, WithTriad):
                mate = more.mate
                triads.append(more.triad.renamed(people.tolist()).three)
        pairs += pairs_of(mate, people)
        proofs.append(proof)
        done += graph.size
    placed = {each for group in (*pairs, *triads) for each in group}
    left = tuple(each for each in range(problem.people) if each not in placed)
    certificate = Certificate(tuple(sorted(proofs, key=lambda part: part.first)))
    return Solution(tuple(sorted(pairs)), tuple(sorted(triads)), left, certificate)


def best(graph: Graph, tell: Tell, enough: int | None = None) -> Best:
    """The best pairs of one graph, which need not hang together: the aims hold for all of it at once.

    To have some people removed, give `graph.without(people)`: they stay as numbers in no pair, count as left, and add
    nothing else. To allow only pairs of some fit, give `graph.at_least(fit)`. The least fit need not be above `enough`.
    """
    tell("left", 0)
    pool = best_of_each(graph, CANDIDATES, np.random.default_rng(graph.size))
    mate, left, pool = fewest_left(graph, pool, [ALONE] * graph.size, tell=lambda: tell("left", 0))
    if mate.count(ALONE) == graph.size:
        return Best(mate, left or Barrier(), 0, None, 0, Prices(1, (0,) * graph.size, 0), 0)
    levelled = graph if enough is None else replace(graph, fit=np.minimum(graph.fit, enough))
    mate, least, worst, pool = greatest_least(levelled, pool, mate, tell)
    allowed = graph.fit >= least
    own = narrowed(pool, allowed)
    odd = left.odd if left else ()  # full in every answer that leaves as few
    total = greatest_total(graph.only(allowed), own, mate, lambda share: tell("total", share), sets=odd)
    return Best(total.mate, left or Barrier(), least, worst, total.worth, total.prices, total.gap)


def triad_beside(graph: Graph, found: Best, was: Flags, may: Flags, tell: Tell) -> WithTriad | Refusal:
    """The best triad where the best pairs leave somebody, or why there is none.

    `was`: who has been in one before; `may`: who may be in one.
    """
    tell("triad", 0)
    return best_triad(graph, found.mate, found.least, found.prices, was, may, lambda share: tell("triad", share))


def with_triad(proof: Part, more: WithTriad | Refusal, people: Ints) -> Part:
    """The witnesses, with those of the triad, by the problem's numbers."""
    names = people.tolist()
    if isinstance(more, Refusal):
        return replace(proof, triad=more.renamed(names))
    prices = more.prices.renamed(names)
    return replace(proof, least=more.least, worst=None, prices=prices, triad=more.triad.renamed(names))


def pairs_of(mate: list[int], people: Ints) -> list[tuple[int, int]]:
    """The pairs of a graph by the problem's numbers, smaller number first."""
    names = people.tolist()
    rows = ((names[a], names[b]) for a, b in enumerate(mate) if b > a)
    return [(min(pair), max(pair)) for pair in rows]


def proof_of(found: Best, people: Ints) -> Part:
    """The witnesses by the problem's numbers."""
    names = people.tolist()
    worst = found.worst and found.worst.renamed(names)
    return Part(min(names), found.left.renamed(names), found.least, worst, found.prices.renamed(names))


def _silent(_key: str, _share: float) -> None:
    pass


def _within(tell: Tell, before: float, share: float) -> Tell:
    """Tells of one part: its shares are of the people before it and its own."""
    return lambda key, part: tell(key, min(1.0, before + part * share))
