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
from lti_tool.matching.fewest import finest
from lti_tool.matching.graph import Edges, Graph
from lti_tool.matching.odd_sets import violated
from lti_tool.matching.problem import Flags
from lti_tool.matching.program import CHUNK, Program

Numbers = NDArray[np.int64]
SCALES = (2, 12, 2**12, 2**24)
"""In what fractions prices are written down: the first in which they prove the answer."""
ROUNDS = 400
"""How often odd sets are added before it gives up. A hundred was enough in all that was tried, but for the next."""
FINE = 60
"""How often at most for the fourth aim alone: where many pairs fit alike, it can take very long."""
FEW_LEFT = 30
"""Where so few are to be left, each of them has a place to be paired with; it is quicker, and more is found."""
FEW = 8
"""Where so few more than need be are without a partner, the best single pair to join two of them by is looked for."""
BRIDGES = 10
"""So many such pairs are tried, from the one that loses least on."""
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
    known = {each for each in sets if len(each) > 1}
    program.add_sets(sorted(known))
    for turn in range(rounds):
        program.run()
        while len(missing := program.missing()):
            program.add_pairs(missing)
            program.run()
        found, groups = whole(graph, program, left)
        if found.count(ALONE) == left and (better := int(worth[places(graph, found)].sum())) >= value:
            mate, value = found, better
        more = program.most((graph.size - left) // 2) - value
        if more <= 0 or (turn >= FINE and more < unit(graph.size)):
            break
        share, alone = program.shares()
        broken = violated(graph.a[program.pairs], graph.b[program.pairs], share, alone)
        known.update(broken)
        broken += [each for each in groups if each not in known]
        if not broken:
            break
        known.update(broken)
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


def whole(
    graph: Graph, program: Program, left: int, out: tuple[int, ...] = ()
) -> tuple[list[int], list[tuple[int, ...]]]:
    """The whole pairs of the answer, with others in place of the broken ones where it costs nothing; and odd sets.

    Where many answers are as good, the program's is seldom whole, but one that is can mostly be reached by exchanging
    pairs that are worth just what is paid for them, or hardly less. Where the former alone do not suffice, the odd
    groups of the barrier that shows it are what the program lacks. Who pays anything is not to be left. Who is `out`
    is in no pair, and not counted in `left`.
    """
    share, alone = program.shares()
    pairs = program.pairs[share > 0.5 + 1e-6]
    partner = np.full(graph.size, ALONE, dtype=np.int32)
    partner[graph.a[pairs]], partner[graph.b[pairs]] = graph.b[pairs], graph.a[pairs]
    partner[list(out)] = out  # with themselves, for as long as it takes
    mate: list[int] = partner.tolist()
    broken = np.flatnonzero((partner == ALONE) & (alone < 1 - 1e-6)).tolist()
    if not broken:
        return [ALONE if each == other else other for each, other in enumerate(mate)], []
    wide = _Wide(graph, program, left if left <= FEW_LEFT else 0, out)
    wide.give(mate, np.flatnonzero((partner == ALONE) & (alone >= 1 - 1e-6)).tolist())
    left -= wide.places
    groups: list[tuple[int, ...]] = []
    near: list[list[int]] = []
    for loss in LOSSES:
        if loss == LOSSES[1]:
            groups = wide.odd(mate)
            wide.bridge(mate, left, near)
        near = wide.graph.neighbours(wide.tight(loss))
        for person in [*broken, *range(graph.size, wide.graph.size)]:
            if mate[person] == ALONE and mate.count(ALONE) > left:
                tree = grow(person, mate, near)
                if tree.end != ALONE:
                    exchange(tree, mate)
        if mate.count(ALONE) <= left:
            break
    if not wide.places:
        _leave_others(mate, near, wide.pays > 1e-6)
    mate = [other if other < graph.size and each != other else ALONE for each, other in enumerate(mate[: graph.size])]
    return mate, groups


def _leave_others(mate: list[int], near: list[list[int]], pays: Flags) -> None:
    """Leave somebody who pays nothing in place of who does."""
    for person in np.flatnonzero(pays).tolist():
        if mate[person] == ALONE:
            tree = grow(person, mate, near)
            instead = next((each for each in sorted(tree.outer) if not pays[each]), ALONE)
            if tree.end == ALONE and instead != ALONE:
                # The one instead is left, so the way ends at their partner.
                end, mate[instead] = mate[instead], ALONE
                exchange(Tree(person, end, tree.outer, tree.inner, tree.before), mate)


class _Wide:
    """A graph with a place for each who is to be left, so that an answer has everybody in a pair; if they are few."""

    def __init__(self, graph: Graph, program: Program, places: int, out: tuple[int, ...]) -> None:
        self.program, self.people, self.places = program, graph.size, places
        self.pays = program.prices()[0]
        self.pays[list(out)] = np.inf
        self.out = out
        self.pairs = len(graph.a)
        a = np.tile(np.arange(graph.size, dtype=np.int32), places)
        b = np.repeat(np.arange(graph.size, graph.size + places, dtype=np.int32), graph.size)
        more = np.zeros(len(a), dtype=np.int32), np.zeros(len(a), dtype=np.bool_)
        columns = zip((graph.a, graph.b, graph.fit, graph.again), (a, b, *more), strict=True)
        self.graph = Graph(graph.size + places, *(np.concatenate(each) for each in columns)) if places else graph

    def give(self, mate: list[int], alone: list[int]) -> None:
        """Give a place to each of those who are to be left."""
        mate += [ALONE] * self.places
        for person, place in zip(alone, range(self.people, self.graph.size), strict=False):
            mate[person], mate[place] = place, person

    def tight(self, loss: float) -> Edges:
        """The pairs that lose no more than that, and the places for who pays no more."""
        places = np.flatnonzero(np.tile(self.pays <= loss, self.places)) + self.pairs
        pairs = self.program.tight(loss)
        if self.out:
            ends = np.stack((self.graph.a[pairs], self.graph.b[pairs]))
            pairs = pairs[~np.isin(ends, self.out).any(axis=0)]
        return np.concatenate((pairs, places))

    def odd(self, mate: list[int]) -> list[tuple[int, ...]]:
        """The odd sets of people who cannot all have a partner among themselves by tight pairs, or all others."""
        kept = np.zeros(len(self.graph.a), dtype=np.bool_)
        kept[self.tight(LOSSES[0])] = True
        found = []
        for group in finest(self.graph.only(kept), mate).odd:
            places = sum(each >= self.people for each in group)
            if places:
                # Of an even number in all the others are odd, too.
                group = tuple(set(range(self.people)) - {*group, *self.out}) if places == self.places else ()
            if len(group) > 1 and len(group) % 2:
                found.append(tuple(sorted(group)))
        return found

    def bridge(self, mate: list[int], left: int, near: list[list[int]]) -> None:
        """Exchange along tight pairs and one other, the one that loses least: as long as few have no partner.

        `near`: by tight pairs, along which no exchange leaves fewer.
        """
        a, b = self.graph.a, self.graph.b
        stuck: set[int] = set()
        while mate.count(ALONE) > left:
            alone = [each for each, partner in enumerate(mate) if partner == ALONE]
            person = next((each for each in alone if each not in stuck), ALONE)
            if person == ALONE or len(alone) > left + FEW:
                return
            stuck.add(person)
            mine, theirs = np.zeros(self.graph.size, np.bool_), np.zeros(self.graph.size, np.bool_)
            for each in alone:
                (mine if each == person else theirs)[list(grow(each, mate, near).outer)] = True
            across = np.flatnonzero((mine[a] & theirs[b]) | (theirs[a] & mine[b]))
            pairs, places = across[across < self.pairs], across[across >= self.pairs]
            lost = np.concatenate((self.program.loses(pairs), self.pays[a[places]]))
            for at in np.argsort(lost, kind="stable")[:BRIDGES].tolist():
                one, two = int(a[across[at]]), int(b[across[at]])
                near[one].append(two)
                near[two].append(one)
                tree = grow(person, mate, near)
                near[one].pop()
                near[two].pop()
                if tree.end != ALONE:
                    exchange(tree, mate)
                    stuck.clear()
                    break


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
