"""The third and fourth aim: the greatest total, then fewest again, by a linear program with odd sets.

J. Edmonds, Maximum matching and a polyhedron with 0,1-vertices (1965): with one row for each person and each odd set of
people it has whole answers. Most pairs and nearly all odd sets are never needed; they are added when missing: M.
Grötschel and O. Holland, Solving matching problems with linear programming (1985).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.alternating import ALONE, Tree, exchange, grow
from lti_tool.matching.certificate import Prices, unit
from lti_tool.matching.graph import Edges, Graph
from lti_tool.matching.odd_sets import violated
from lti_tool.matching.program import CHUNK, Program

Numbers = NDArray[np.int64]
SCALES = (2, 12, 2**12, 2**24)
"""In what fractions prices are written down: the first in which they prove the answer."""
ROUNDS = 400
"""How often odd sets are added before it gives up. A hundred was enough in all that was tried, but for the next."""
FINE = 60
"""How often at most for the fourth aim alone: where many pairs fit alike, it can take very long."""
LOSSES = (1e-6, 1e-4, 1e-2, 1.0, 10.0, 1e9)
"""How much less than is paid, in points of fit, a pair may be worth that replaces a broken one; tried in turn."""


@dataclass(frozen=True, slots=True)
class Total:
    """The partners, what they are worth in all, and the prices that prove how much more there could be at most."""

    mate: list[int]
    worth: int
    prices: Prices

    @property
    def gap(self) -> int:
        """How much more could be possible at most; 0: proven best."""
        pairs = sum(each != ALONE for each in self.mate) // 2
        return self.prices.bound(pairs) - self.worth


def worths(graph: Graph) -> Numbers:
    """What each pair is worth, as in certificate.worth; shape (m,)."""
    return 2 * graph.fit.astype(np.int64) * unit(graph.size) - graph.again


def greatest_total(
    graph: Graph,
    pool: Edges,
    mate: list[int],
    tell: Callable[[float], None],
    rounds: int = ROUNDS,
    sets: Iterable[tuple[int, ...]] = (),
) -> Total:
    """As many pairs as in `mate`, worth as much as possible together; begun with the pairs of `pool` and odd `sets`.

    After so many `rounds` it gives the best it came by, with the gap.
    """
    worth = worths(graph)
    turn = 0
    left = mate.count(ALONE)
    value = int(worth[places(graph, mate)].sum())
    program = Program(graph, worth / unit(graph.size), left, lambda: tell(turn / (turn + 3)))
    pool = np.union1d(pool, places(graph, mate))
    a, b = graph.a[pool], graph.b[pool]
    # By the numbers of people, which are dealt by the seed: among answers as good, the order of columns decides.
    program.add_pairs(pool[np.lexsort((np.maximum(a, b), np.minimum(a, b)))])
    program.add_sets([each for each in sets if len(each) > 1])
    for turn in range(rounds):
        program.run()
        while len(missing := program.missing()):
            program.add_pairs(missing)
            program.run()
        found = _whole(graph, program, left)
        if found.count(ALONE) == left and (better := int(worth[places(graph, found)].sum())) >= value:
            mate, value = found, better
        more = program.worth_of_all() * unit(graph.size) - value
        if more < 0.99 or (turn >= FINE and more < unit(graph.size)):
            break
        share, alone = program.shares()
        broken = violated(graph.a[program.pairs], graph.b[program.pairs], share, alone)
        if not broken:
            break
        program.add_sets(broken)
    for scale in SCALES:
        total = Total(mate, value, in_whole_numbers(graph, worth, scale, program))
        if total.gap == 0:
            break
    return total


def places(graph: Graph, mate: list[int]) -> Edges:
    """Which pairs of the graph are taken."""
    partner = np.array(mate, dtype=np.int32)
    return np.flatnonzero(partner[graph.a] == graph.b)


def _whole(graph: Graph, program: Program, left: int) -> list[int]:
    """The whole pairs of the answer, with others in place of the broken ones where it costs nothing.

    Where many answers are as good, the program's is seldom whole, but one that is can mostly be reached by exchanging
    pairs that are worth just what is paid for them, or hardly less. Who pays anything is not to be left.
    """
    share, alone = program.shares()
    pairs = program.pairs[share > 0.5 + 1e-6]
    partner = np.full(graph.size, ALONE, dtype=np.int32)
    partner[graph.a[pairs]], partner[graph.b[pairs]] = graph.b[pairs], graph.a[pairs]
    mate: list[int] = partner.tolist()
    broken = np.flatnonzero((partner == ALONE) & (alone < 1 - 1e-6)).tolist()
    if not broken:
        return mate
    pays = program.prices()[0] > 1e-6
    for loss in LOSSES:
        near = graph.neighbours(program.tight(loss))
        for person in broken:
            if mate[person] == ALONE and mate.count(ALONE) > left:
                tree = grow(person, mate, near)
                if tree.end != ALONE:
                    exchange(tree, mate)
        if mate.count(ALONE) <= left:
            break
    for person in np.flatnonzero(pays).tolist():
        if mate[person] == ALONE:
            tree = grow(person, mate, near)
            instead = next((each for each in sorted(tree.outer) if not pays[each]), ALONE)
            if tree.end == ALONE and instead != ALONE:
                # The one instead is left, so the way ends at their partner.
                end, mate[instead] = mate[instead], ALONE
                exchange(Tree(person, end, tree.outer, tree.inner, tree.before), mate)
    return mate


def in_whole_numbers(graph: Graph, worth: Numbers, scale: int, program: Program) -> Prices:
    """The program's prices in whole numbers, raised where a pair would be worth more than is paid for it."""
    each, size, odd = (np.rint(np.asarray(price) * (scale * unit(graph.size))) for price in program.prices())
    pays = each.astype(np.int64)
    used = [(group, int(price)) for group, price in zip(program.sets, odd.tolist(), strict=True) if price > 0]
    inside = np.zeros(graph.size, dtype=np.bool_)
    for start in range(0, len(graph.a), CHUNK):
        part = slice(start, start + CHUNK)
        a, b = graph.a[part], graph.b[part]
        lack = worth[part] * scale - pays[a] - pays[b] - int(size)
        short = np.flatnonzero(lack > 0)
        a, b, lack = a[short], b[short], lack[short]
        for group, price in used:
            people = list(group)
            inside[people] = True
            lack[inside[a] & inside[b]] -= price
            inside[people] = False
        more = np.zeros(graph.size, dtype=np.int64)
        np.maximum.at(more, a, lack)
        pays += more
    return Prices(scale, tuple(pays.tolist()), int(size), tuple(used))
