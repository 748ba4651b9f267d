"""What it would cost to keep some people together or apart: their parts of the problem are solved again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from lti_tool.matching.alternating import ALONE, mates
from lti_tool.matching.best_triad import WithTriad, best_triad
from lti_tool.matching.certificate import Certificate, Part, Three, unit
from lti_tool.matching.graph import Graph, components
from lti_tool.matching.problem import Ints, Problem, Solution
from lti_tool.matching.solve import best
from lti_tool.matching.values import values
from lti_tool.matching.warm import Warm, dearness

Pair = tuple[int, int]
LEAST = 1
"""The fit of a pair that the rules do not allow, where it is asked what it would cost."""
TRIES = 4
"""Of so many times as many people as alternatives are wanted it is worked out what they cost, the least dear first."""
SLOW = 4000
"""All are worked out where as many times as many people as there are in a component are fewer than this."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What gets worse by each aim, among those concerned; less than 0: better. The first that is not 0 decides."""

    left_more: int
    worst_less: int
    total_less: int
    again_more: int
    solution: Solution
    """Of everybody. Its certificate is empty: what is kept of it is proven when the round is calculated again."""

    @property
    def order(self) -> tuple[int, int, int, int]:
        """To sort by, the least first."""
        return self.left_more, self.worst_less, self.total_less, self.again_more


def cost(
    problem: Problem,
    solution: Solution,
    together: Iterable[Pair] = (),
    apart: Iterable[Pair] = (),
    fits: Mapping[Pair, int] | None = None,
) -> Cost:
    """What changes if these pairs are kept together, and those are not.

    `together` may have pairs that are not possible: they fit `fits[pair]` (smaller number first), or LEAST. Nobody may
    be in two of them: ValueError. Who is together already stays so, be it in a triad. Only the components of possible
    pairs with somebody of these are solved again, each as a whole.
    """
    wanted = {_ordered(pair) for pair in together}
    unwanted = {_ordered(pair) for pair in apart}
    if len({each for pair in wanted for each in pair}) < 2 * len(wanted):
        raise ValueError("somebody is in two pairs at once")
    new = {pair for pair in wanted if pair[1] not in solution.with_whom(pair[0])}
    ended = {pair for pair in unwanted if pair[1] in solution.with_whom(pair[0])}
    if not new and not ended:
        return Cost(0, 0, 0, 0, replace(solution, certificate=Certificate()))
    whole = _with(problem, new, fits or {})
    label = components(problem.people, problem.first, problem.second)
    roots = set(label[[each for pair in new | ended for each in pair]].tolist())
    fixed = {tuple(sorted((pair[0], *solution.with_whom(pair[0])))) for pair in wanted - new}
    fixed |= set(new)
    kept = [group for group in fixed if label[group[0]] in roots]
    busy = {each for group in kept for each in group}
    groups = list(kept)
    pairs, triads = _split(kept)
    enough = values(whole, pairs, triads, ()).worst if kept else None
    for root in sorted(roots):
        members = np.array(
            [each for each in np.flatnonzero(label == root).tolist() if each not in busy], dtype=np.int32
        )
        may = problem.triads and not any(len(group) == 3 and label[group[0]] == root for group in kept)
        groups += _solved(problem, members, unwanted, may, enough)
    return _compared(whole, solution, groups, np.isin(label, list(roots)).tolist())


def alternatives(problem: Problem, solution: Solution, person: int, limit: int = 5) -> list[tuple[int, Cost]]:
    """Possible partners of somebody beside those they have, the least costly first; at most `limit`.

    In the order of what the prices in the solution's certificate say that each costs at least; it ends when no further
    one can be among them, in large components earlier. A triad that neither of the two is in stays as it is, so that
    what is said there is what it costs at most.
    """
    label = components(problem.people, problem.first, problem.second)
    part = next((each for each in solution.certificate.parts if each.first == label[person]), None)
    if part is None:
        return []
    search = _Alternatives(problem, solution, person, np.flatnonzero(label == label[person]).astype(np.int32), part)
    many = SLOW // len(search.members)
    found: list[tuple[int, Cost]] = []
    later: list[int] = []
    for tried, (least, other) in enumerate(search.candidates()):
        found.sort(key=_by_cost)
        if tried >= max(TRIES * limit, many) or (
            len(found) >= limit and found[limit - 1][1].order < (0, *least, -problem.people)
        ):
            break
        quick = None if least[0] else search.quick(other)
        if quick is None:
            later.append(other)
        else:
            found.append((other, quick))
    for other in later[: max(limit - len(found), many) if len(found) < limit else 0]:
        found.append((other, cost(problem, solution, together=[(person, other)])))
    return sorted(found, key=_by_cost)[:limit]


class _Alternatives:
    """One component of a solution, to be asked again and again."""

    def __init__(self, problem: Problem, solution: Solution, person: int, members: Ints, part: Part) -> None:
        self.problem, self.solution, self.person, self.members, self.part = problem, solution, person, members, part
        self.number = np.full(problem.people, ALONE, dtype=np.int32)
        self.number[members] = np.arange(len(members), dtype=np.int32)
        self.graph = _graph(problem, members, self.number)
        own = [pair for pair in solution.pairs if self.number[pair[0]] != ALONE]
        self.mate = mates(len(members), ((int(self.number[a]), int(self.number[b])) for a, b in own))
        self.triad = next((each for each in solution.triads if self.number[each[0]] != ALONE), ())
        self.left = self.mate.count(ALONE) - len(self.triad)
        self.narrow = self.graph.at_least(part.least)
        self.program: Warm | None = None

    def candidates(self) -> Iterator[tuple[tuple[int, int], int]]:
        """Each possible partner with what it costs at least: the least fit, and the total; the least first."""
        me = int(self.number[self.person])
        mine = self.graph.only((self.graph.a == me) | (self.graph.b == me))
        now = self.solution.with_whom(self.person)
        dear = dearness(mine, self.part.prices) // (self.part.prices.scale * unit(len(self.members)))
        less = np.maximum(self.part.least - mine.fit, 0)
        others = self.members[np.where(mine.a == me, mine.b, mine.a)].tolist()
        rows = zip(less.tolist(), dear.tolist(), others, strict=True)
        for lower, lost, other in sorted((lower, 0 if lower else lost, other) for lower, lost, other in rows):
            if other not in now:
                yield (lower, lost), other

    def quick(self, other: int) -> Cost | None:
        """What it costs; None if more would be left, a pair would fit less than the least, or a triad end."""
        if self.person in self.triad or other in self.triad:
            return None
        if self.program is None:
            self.program = Warm(self.narrow, self.mate, self.part.prices)
        out = tuple(int(self.number[each]) for each in (self.person, other, *self.triad))
        edges = self.program.without(out, self.left)
        if edges is None:
            return None
        ends = (self.members[side[edges]].tolist() for side in (self.narrow.a, self.narrow.b))
        groups: list[tuple[int, ...]] = [_ordered(pair) for pair in zip(*ends, strict=True)]
        groups.append(_ordered((self.person, other)))
        if self.triad:
            groups.append(self.triad)
        return _compared(self.problem, self.solution, groups, (self.number != ALONE).tolist())


def _solved(
    problem: Problem, members: Ints, apart: set[Pair], triads: bool, enough: int | None
) -> list[tuple[int, ...]]:
    """The best pairs, with a triad where allowed and needed, of some people, none of whom goes with others.

    None of them need fit better than `enough`, the fit of the pairs that are kept, as these count as well.
    """
    number = np.full(problem.people, ALONE, dtype=np.int32)
    number[members] = np.arange(len(members), dtype=np.int32)
    graph = _graph(problem, members, number)
    for a, b in apart:
        ends = {int(number[a]), int(number[b])}
        graph = graph.only(~(np.isin(graph.a, list(ends)) & np.isin(graph.b, list(ends))))
    if not len(graph.a):
        return []
    found = best(graph, lambda _key, _share: None, enough)
    mate, groups = found.mate, []
    if triads and ALONE in mate:
        was, may = problem.was_in_triad[members], problem.may_be_three[members]
        more = best_triad(graph, mate, found.least, found.prices, was, may, lambda _share: None, enough)
        if isinstance(more, WithTriad):
            mate = more.mate
            groups.append(tuple(sorted(members[list(more.triad.three)].tolist())))
    names = members.tolist()
    return groups + [_ordered((names[a], names[b])) for a, b in enumerate(mate) if a < b]


def _graph(problem: Problem, members: Ints, number: Ints) -> Graph:
    """The possible pairs of some people, by their place among them."""
    a, b = number[problem.first], number[problem.second]
    inside = (a != ALONE) & (b != ALONE)
    return Graph(len(members), a[inside], b[inside], problem.fit[inside], problem.again[inside])


def _compared(whole: Problem, solution: Solution, groups: list[tuple[int, ...]], concerned: list[bool]) -> Cost:
    """The groups of those concerned against what they are in the solution."""
    pairs, triads = _split(groups)
    paired = {each for group in groups for each in group}
    left = [each for each, is_so in enumerate(concerned) if is_so and each not in paired]
    was_pairs = [pair for pair in solution.pairs if concerned[pair[0]]]
    was_triads = [triad for triad in solution.triads if concerned[triad[0]]]
    was_left = [each for each in solution.left if concerned[each]]
    before = values(whole, was_pairs, was_triads, was_left)
    after = values(whole, pairs, triads, left)
    return Cost(
        after.left - before.left,
        before.worst - after.worst,
        before.total - after.total,
        after.again - before.again,
        Solution(
            tuple(sorted([*(pair for pair in solution.pairs if not concerned[pair[0]]), *pairs])),
            tuple(sorted([*(triad for triad in solution.triads if not concerned[triad[0]]), *triads])),
            tuple(sorted([*(each for each in solution.left if not concerned[each]), *left])),
            Certificate(),
        ),
    )


def _split(groups: list[tuple[int, ...]]) -> tuple[list[Pair], list[Three]]:
    pairs = [(group[0], group[1]) for group in groups if len(group) == 2]
    return pairs, [(group[0], group[1], group[2]) for group in groups if len(group) == 3]


def _with(problem: Problem, pairs: set[Pair], fits: Mapping[Pair, int]) -> Problem:
    """The problem with these pairs possible."""
    key = problem.first.astype(np.int64) * problem.people + problem.second
    new = sorted(pair for pair in pairs if not (key == pair[0] * problem.people + pair[1]).any())
    columns = np.array([(a, b, fits.get((a, b), LEAST)) for a, b in new], dtype=np.int32).reshape(-1, 3)
    return replace(
        problem,
        first=np.concatenate((problem.first, columns[:, 0])),
        second=np.concatenate((problem.second, columns[:, 1])),
        fit=np.concatenate((problem.fit, columns[:, 2])),
        again=np.concatenate((problem.again, np.zeros(len(new), dtype=np.bool_))),
    )


def _ordered(pair: Iterable[int]) -> Pair:
    low, high = sorted(pair)
    return low, high


def _by_cost(row: tuple[int, Cost]) -> tuple[tuple[int, int, int, int], int]:
    return row[1].order, row[0]
