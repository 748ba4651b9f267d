"""Which odd sets of people a fractional answer breaks: of 2k + 1 people more than k pairs are among themselves.

M. W. Padberg and M. R. Rao, Odd minimum cut-sets and b-matchings (1982): a cut tree shows a smallest odd cut.
"""

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lti_tool.matching.problem import Ints

Floats = NDArray[np.float64]
Flow = dict[int, dict[int, float]]
ENOUGH = 1e-5
OUTSIDE = -1


def violated(a: Ints, b: Ints, share: Floats, alone: Floats) -> list[tuple[int, ...]]:
    """Odd sets that a share of each pair (shape (m,)) and of being alone (shape (people,)) break; none only if none is.

    Who is in a whole pair is in no such set that is smallest, so only what is fractional is looked at, piece by piece.
    Being alone is a pair with somebody outside.
    """
    near: Flow = {}
    for edge in np.flatnonzero((share > ENOUGH) & (share < 1 - ENOUGH)).tolist():
        one, two = int(a[edge]), int(b[edge])
        near.setdefault(one, {})[two] = float(share[edge])
        near.setdefault(two, {})[one] = float(share[edge])
    found: list[tuple[int, ...]] = []
    whole: set[int] = set()
    for piece in _pieces(near):
        apart = sum(alone[each] for each in piece)
        if len(piece) % 2 and apart < 1 - ENOUGH:
            found.append(tuple(sorted(piece)))
            whole |= piece
    for each in list(near):
        if alone[each] > ENOUGH and each not in whole:
            near[each][OUTSIDE] = float(alone[each])
            near.setdefault(OUTSIDE, {})[each] = float(alone[each])
    for each in whole:
        near.pop(each, None)
    for piece in _pieces(near):
        found += _smallest_cuts(near, piece)
    return found


def _pieces(near: Flow) -> list[set[int]]:
    """Who hangs together."""
    pieces = []
    seen: set[int] = set()
    for start in near:
        if start in seen:
            continue
        piece = {start}
        waiting = [start]
        while waiting:
            for other in near[waiting.pop()]:
                if other not in piece:
                    piece.add(other)
                    waiting.append(other)
        seen |= piece
        pieces.append(piece)
    return pieces


def _smallest_cuts(near: Flow, piece: set[int]) -> list[tuple[int, ...]]:
    """Odd sets out of a cut tree of one piece (D. Gusfield, Very simple methods for all pairs network flow, 1990)."""
    nodes = sorted(piece)
    above = dict.fromkeys(nodes, nodes[0])
    for each in nodes[1:]:
        top = above[each]
        side = _cut(near, each, top)
        for other in nodes:
            if other != each and other in side and above[other] == top:
                above[other] = each
        if above[top] in side and top != nodes[0]:
            above[each] = above[top]
            above[top] = each
    below: dict[int, set[int]] = {each: {each} for each in nodes}
    for each in nodes[1:]:
        way = above[each]
        while True:
            below[way].add(each)
            if way == nodes[0]:
                break
            way = above[way]
    found = []
    for each in nodes[1:]:
        people = below[each] if OUTSIDE not in below[each] else piece - below[each]
        if len(people) % 2 and len(people) > 1:
            crossing = sum(much for one in people for two, much in near[one].items() if two not in people)
            if crossing < 1 - ENOUGH:
                found.append(tuple(sorted(people)))
    return found


def _cut(near: Flow, source: int, sink: int) -> set[int]:
    """The source's side of a smallest cut between the two: by shortest ways (Edmonds and Karp 1972)."""
    rest = {one: dict(ways) for one, ways in near.items()}
    while True:
        came = {source: source}
        waiting = deque([source])
        while waiting and sink not in came:
            one = waiting.popleft()
            for two, much in rest[one].items():
                if much > 1e-9 and two not in came:
                    came[two] = one
                    waiting.append(two)
        if sink not in came:
            return set(came)
        path = [sink]
        while path[-1] != source:
            path.append(came[path[-1]])
        steps = list(pairwise(path))
        much = min(rest[one][two] for two, one in steps)
        for two, one in steps:
            rest[one][two] -= much
            rest[two][one] += much
